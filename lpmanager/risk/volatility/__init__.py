"""How much the price moves: measured up to now, and forecast for the next period.

`realised`, `ewma`, `periods`, `scoring` and `contest` need the standard library only; `har` needs
numpy, `garch` and `forecasters` need arch. Import the module that is needed.
"""
