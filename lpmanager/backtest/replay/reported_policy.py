"""A policy whose failure names the block it failed at."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.backtest.markets.market import utc
from lpmanager.errors import LpmError
from lpmanager.model import Target
from lpmanager.rebalancer.policies.base import Policy
from lpmanager.rebalancer.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPolicy:
    """A policy by its name, which may be a user's own."""

    name: str
    policy: Policy

    def target(self, view: View) -> Target:
        """What the policy wants. Raises LpmError, with block and time, whatever the policy
        raises."""
        try:
            return self.policy.target(view)
        except Exception as error:
            block = view.snapshot.block
            raise LpmError(
                f"policy {self.name}: raised {type(error).__name__} at block {block.number:,}, "
                f"{utc(block.timestamp)}, tick {view.snapshot.state.tick}: {error}"
            ) from error
