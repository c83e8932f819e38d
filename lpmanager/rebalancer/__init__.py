"""What should change: policies want ranges, `decide` weighs the change and plans or holds."""

from lpmanager.rebalancer.decide import decide
from lpmanager.rebalancer.policies import Policy, make_policy
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits

__all__ = ["Limits", "Policy", "View", "decide", "make_policy"]
