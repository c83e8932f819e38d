"""What debtors can pay one another when all must. Needs the extra `quant`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Relative to the largest obligation; a node that lacks less has paid.
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """Per node: what it pays in all, what it has left, and whether it owes more than it pays."""

    payments: tuple[float, ...]
    equity: tuple[float, ...]
    defaults: tuple[bool, ...]


def clear(liabilities: Sequence[Sequence[float]], outside: Sequence[float]) -> Clearing:
    """The greatest vector of payments that everybody can keep up.

    `liabilities[i][j]` is what node i owes node j, `outside[i]` what i has besides its claims; any
    one unit. Who cannot pay in full pays its creditors in proportion all that it has. Eisenberg and
    Noe, "Systemic risk in financial systems" (2001), by their fictitious default algorithm: with
    those known to default, payments solve a linear system; who then cannot pay joins them. Raises
    ValueError for what is not a square of amounts with nothing owed to oneself.
    """
    owed, assets = _checked(liabilities, outside)
    total = owed.sum(axis=1)
    shares = np.divide(owed, total[:, None], out=np.zeros_like(owed), where=total[:, None] > 0)
    slack = _TOLERANCE * max(float(total.max(initial=0.0)), 1e-300)
    failing = np.zeros(len(total), dtype=bool)
    payments = total.copy()
    while True:
        lacking = assets + shares.T @ payments < total - slack
        if not (lacking & ~failing).any():
            break
        failing |= lacking
        payments = _paid(shares, assets, total, failing)
    left = assets + shares.T @ payments - payments
    return Clearing(
        payments=tuple(payments.tolist()),
        equity=tuple(np.where(failing, 0.0, left).tolist()),
        defaults=tuple(failing.tolist()),
    )


def _paid(
    shares: NDArray[np.float64],
    assets: NDArray[np.float64],
    total: NDArray[np.float64],
    failing: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Payments when these pay all they have and the others all they owe.

    The system has one solution: not everybody in a ring that pays to itself alone can lack.
    """
    inside = shares.T[np.ix_(failing, failing)]
    given = assets[failing] + shares.T[np.ix_(failing, ~failing)] @ total[~failing]
    payments = total.copy()
    payments[failing] = np.linalg.solve(np.eye(len(given)) - inside, given)
    return payments


def _checked(
    liabilities: Sequence[Sequence[float]], outside: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    assets = np.asarray(outside, dtype=np.float64)
    owed = np.asarray(liabilities, dtype=np.float64).reshape(-1, max(len(assets), 1))
    if owed.shape != (len(assets), len(assets)) and assets.size:
        raise ValueError(f"{len(assets)} nodes need as many rows of liabilities, found {len(owed)}")
    for name, values in (("liabilities", owed), ("outside assets", assets)):
        if not np.isfinite(values).all() or (values < 0).any():
            raise ValueError(f"{name} are finite and not negative, found {values.tolist()}")
    if np.diagonal(owed).any():
        raise ValueError(f"nobody owes itself, found {np.diagonal(owed).tolist()}")
    return owed, assets
