"""Run concentrated liquidity the way a market maker runs inventory."""

__version__ = "0.1.0"
