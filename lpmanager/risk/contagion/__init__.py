"""How a failure elsewhere reaches the campaigns: who is exposed to what, and what passes it on.

`clearing`, `debt_rank`, `debts`, `graph` and `shock` need the extra `quant`, the others the
standard library alone.
"""
