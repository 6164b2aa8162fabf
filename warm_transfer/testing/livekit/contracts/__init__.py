"""The contract suites of what adapts LiveKit; `warm_transfer.testing.contracts` offers them."""
