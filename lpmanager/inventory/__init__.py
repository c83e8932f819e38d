"""What a campaign holds against what: pure measurement. Import from here."""

from lpmanager.inventory.capacity import Capacity, capacity_between, position_capacity
from lpmanager.inventory.exposure import (
    Exposure,
    held_exposure,
    position_exposure,
    range_exposure,
)
from lpmanager.inventory.holdings import Holdings, measure_holdings
from lpmanager.inventory.impermanent_loss import Loss, against_hodl, net_deposits
from lpmanager.inventory.measure import Inventory, PositionInventory, measure
from lpmanager.inventory.valuation import base_weight, imbalance

__all__ = [
    "Capacity",
    "Exposure",
    "Holdings",
    "Inventory",
    "Loss",
    "PositionInventory",
    "against_hodl",
    "base_weight",
    "capacity_between",
    "held_exposure",
    "imbalance",
    "measure",
    "measure_holdings",
    "net_deposits",
    "position_capacity",
    "position_exposure",
    "range_exposure",
]
