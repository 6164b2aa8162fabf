"""The adapters to LiveKit: one module for each family of effects, and the seam to the SDK."""
