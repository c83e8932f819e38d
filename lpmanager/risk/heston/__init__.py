"""Heston's model of a variance that comes and goes, fitted to options or to past variances.

`model`, `chain` and `moments` need the standard library alone, the others the extra `quant`.
"""
