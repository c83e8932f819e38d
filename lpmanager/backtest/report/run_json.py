"""A backtest as JSON values: everything that is known of it."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from lpmanager.backtest.report.benchmarks import Standing
from lpmanager.backtest.report.findings import Findings
from lpmanager.backtest.report.run import Curve, Held, Move, Numbers, Times
from lpmanager.backtest.report.statistics import Drawdown, Statistics, Unknown
from lpmanager.ledger.identity import TERMS
from lpmanager.model import PoolKey, TickRange


def run_json(found: Findings) -> dict[str, Any]:
    """The whole run. Exact amounts are decimals of whole quote tokens, as text; estimates are
    numbers; what is unknown is null, with the reason under `unknown`. Times are Unix seconds."""
    run = found.run
    return {
        "market": run.market,
        "policy": run.policy,
        "mode": run.mode,
        "pool": _pool(run.pool),
        "quote": found.symbol,
        "price_unit": found.price_unit,
        "start": run.start,
        "end": run.end,
        "rows": run.rows,
        "decisions": run.decisions,
        **{term: f"{value:f}" for term, value in run.result.items()},
        **{term: None for term, _, _ in TERMS if term not in run.result},
        "statistics": _figures(found.statistics),
        "unknown": {**_reasons(found.statistics), **run.untold},
        "against": {standing.way.name.lower(): _standing(standing) for standing in found.standings},
        "holds": None if run.holds is None else dict(run.holds),
        "halted": run.halted,
        "moves": [_move(move) for move in run.moves],
        "held": [_held(held) for held in run.held],
        "drift": None if run.drift is None else asdict(run.drift),
        "notes": list(run.notes),
        "curve": _curve(run.curve),
    }


def _pool(pool: PoolKey) -> dict[str, Any]:
    return {
        "address": pool.address,
        "token0": pool.token0.symbol,
        "token1": pool.token1.symbol,
        "fee_pips": pool.fee_pips,
        "tick_spacing": pool.tick_spacing,
    }


def _figures(told: Statistics | Standing) -> dict[str, Any]:
    values = {field.name: getattr(told, field.name) for field in fields(told)}
    return {name: _figure(value) for name, value in values.items()}


def _figure(value: object) -> object:
    if isinstance(value, Unknown):
        return None
    return asdict(value) if isinstance(value, Drawdown) else value


def _reasons(told: Statistics) -> dict[str, str]:
    values = {field.name: getattr(told, field.name) for field in fields(told)}
    return {name: value.why for name, value in values.items() if isinstance(value, Unknown)}


def _standing(standing: Standing) -> dict[str, Any]:
    figures = _figures(standing)
    del figures["way"]
    return figures


def _move(move: Move) -> dict[str, Any]:
    return {**asdict(move), "ranges": [_ticks(span) for span in move.ranges]}


def _held(held: Held) -> dict[str, Any]:
    return {
        "token_id": held.token_id,
        "ticks": _ticks(held.range),
        "liquidity": str(held.liquidity),
        "opened_at": held.opened,
        "closed_at": held.closed,
    }


def _ticks(span: TickRange) -> list[int]:
    return [span.lower, span.upper]


def _curve(curve: Curve) -> dict[str, list[int] | list[float | None]]:
    columns = {field.name: getattr(curve, field.name) for field in fields(curve)}
    return {name: _column(values) for name, values in columns.items()}


def _column(values: Times | Numbers) -> list[int] | list[float | None]:
    """A column with null for what is not known."""
    if values.dtype == np.int64:
        return [int(value) for value in values]
    return [float(value) if math.isfinite(value) else None for value in values]
