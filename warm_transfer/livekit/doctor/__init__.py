"""``warm-transfer doctor``: looks at a LiveKit server and says whether transfers can work there."""
