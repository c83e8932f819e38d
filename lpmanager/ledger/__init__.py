"""Double-entry books of every campaign, reconciled to the chain after every cycle."""
