"""What is drawn is drawn the same each time, as it should be in CI."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
