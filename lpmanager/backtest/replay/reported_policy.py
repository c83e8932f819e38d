"""A policy whose failure names the block it failed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lpmanager.backtest.markets.market import utc
from lpmanager.errors import LpmError
from lpmanager.inventory.skew import Quotes
from lpmanager.model import Target
from lpmanager.rebalancer.policies.base import Policy, Quoting
from lpmanager.rebalancer.view import View
from lpmanager.risk.missing import Missing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPolicy:
    """A policy by its name, which may be a user's own."""

    name: str
    policy: Policy

    def target(self, view: View) -> Target:
        """What the policy wants. Raises LpmError, with block and time, whatever the policy
        raises."""
        return self._told(view, self.policy.target)

    def quotes(self, view: View) -> Quotes | Missing | None:
        """How the policy would quote, None where it does not tell. Raises as `target` does."""
        return self._told(view, self.policy.quotes) if isinstance(self.policy, Quoting) else None

    def _told(self, view: View, ask: Callable[[View], T]) -> T:
        try:
            return ask(view)
        except Exception as error:
            block = view.snapshot.block
            raise LpmError(
                f"policy {self.name}: raised {type(error).__name__} at block {block.number:,}, "
                f"{utc(block.timestamp)}, tick {view.snapshot.state.tick}: {error}"
            ) from error
