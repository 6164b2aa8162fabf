"""`make compare`: livekit-agents' own warm transfer and ours, row by row, on the same scenes."""
