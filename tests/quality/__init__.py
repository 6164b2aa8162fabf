"""Whether the tests notice what they are there for."""
