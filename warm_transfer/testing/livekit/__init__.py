"""A simulated LiveKit: server, rooms, phones, sessions, and the SDK in front of them.

The simulated world must behave as the real server does. Where they disagree, the real one is right
and the simulation is the bug.
"""
