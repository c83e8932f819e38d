"""What cannot be fixed by moving the range: how much of the inventory to hedge, and when."""

from lpmanager.hedge.balance import balance_gate, hedged_weight, swap_into_balance

__all__ = ["balance_gate", "hedged_weight", "swap_into_balance"]
