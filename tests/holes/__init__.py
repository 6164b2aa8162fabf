"""The 41 holes of livekit-agents' own warm transfer, each played against it and against ours."""
