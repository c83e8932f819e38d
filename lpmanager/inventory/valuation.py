"""The mix of what is held, by value, and how far it is from the wanted mix."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.model import Amounts, Price


def base_weight(price: Price, held: Amounts) -> Fraction | None:
    """The base token's share of the value of `held`, in [0, 1]; None where nothing is held."""
    total = price.value(held)
    if total == 0:
        return None
    base = held.amount0 if held.amount0.token == price.base else held.amount1
    return price.value_of(base) / total


def imbalance(weight: Fraction, target_weight: Fraction) -> Fraction:
    """How far `weight` is from the target: 0 on target, positive where there is too much base.

    (weight - target) / max(target, 1 - target), so that it stays in [-1, 1]. Raises ValueError
    for a target outside [0, 1].
    """
    if not 0 <= target_weight <= 1:
        raise ValueError(f"target_weight must be in [0, 1], found {target_weight}")
    return (weight - target_weight) / max(target_weight, 1 - target_weight)
