"""Many strategies over one market: grids, searches, and what they are worth out of sample."""
