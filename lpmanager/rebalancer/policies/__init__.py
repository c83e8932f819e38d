"""Policies: what ranges do we want. Each is a small pure class with one method."""

from lpmanager.rebalancer.policies.base import Policy, Quoting
from lpmanager.rebalancer.policies.fixed_width import FixedWidth
from lpmanager.rebalancer.policies.inventory_skew import InventorySkew
from lpmanager.rebalancer.policies.loading import make_policy
from lpmanager.rebalancer.policies.passive import Passive
from lpmanager.rebalancer.policies.predictable_loss import PredictableLoss
from lpmanager.rebalancer.policies.volatility_width import VolatilityWidth

__all__ = [
    "FixedWidth",
    "InventorySkew",
    "Passive",
    "Policy",
    "PredictableLoss",
    "Quoting",
    "VolatilityWidth",
    "make_policy",
]
