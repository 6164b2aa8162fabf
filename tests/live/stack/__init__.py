"""``python -m tests.live --phone real``: every merge strategy on a complete stack, with a phone.

The server and the phone are somebody's own, named by the environment. The caller is a participant
of SIP kind with real sound; the phone is dialled by the library itself, over a real trunk.
"""
