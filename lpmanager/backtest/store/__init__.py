"""Our own store of markets, and filling it from a chain."""
