"""Heston's model as a person gave it: a fit of another day, used for so long."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model.units import duration
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenHeston:
    """`fitted_at`, in Unix seconds, is when the market was as the model says: the newest of what it
    was fitted to. `max_age_s`: for how long it is used from then on."""

    model: Heston
    fitted_at: int
    max_age_s: int

    def at(self, now: int) -> Heston | Missing:
        """The model; Missing, with its age, where it is older than that or not of the past."""
        age = now - self.fitted_at
        if age < 0:
            return Missing(
                f"Heston's parameters are of a time {duration(-age)} after this block (as_of; a "
                "date counts from its end)"
            )
        if age > self.max_age_s:
            return Missing(
                f"Heston's parameters are {duration(age)} old and used for "
                f"{duration(self.max_age_s)}; fit them anew: lpm risk --option-chain FILE"
            )
        return self.model
