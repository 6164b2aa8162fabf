"""Properties: what must hold on every path, with every fault, at every cancellation."""
