"""How a failure elsewhere reaches the campaigns: who is exposed to what, and what passes it on.

`exposures` and `depeg` need the standard library alone, the others the extra `quant`.
"""
