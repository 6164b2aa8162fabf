"""The commands of ``fsm-diagrams``, one module each with `add` and `run`."""
