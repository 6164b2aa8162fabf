"""Applications written for livekit-agents' own class, run here with the import changed."""
