"""Our own diagrams under ``docs/diagrams``: made, and compared with what stands there."""
