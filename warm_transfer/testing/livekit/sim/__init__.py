"""Transfers drawn by chance: one seed is one whole transfer with its faults, and one journal."""
