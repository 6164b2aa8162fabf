"""What users and we test transfers with: a simulated LiveKit on a virtual clock, and scenarios."""
