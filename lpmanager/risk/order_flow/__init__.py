"""Who trades with the pool and what it costs its providers: measured on recent swaps alone.

Values are in raw token1, at the pool's own prices: there are no outside ones here.
"""
