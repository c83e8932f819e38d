"""An embedded chain with the real Uniswap v3 contracts, tokens and order flow."""
