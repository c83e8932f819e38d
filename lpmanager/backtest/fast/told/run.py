"""One compiled strategy over a market, told as exact mode tells a run.

What fast mode cannot tell is left out, and named.

Warning: fast mode asks the policy and the pause between moves alone, carries out what is wanted at
once, and rounds nothing. `LEFT_OUT` says so in every report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import numpy as np

from lpmanager.backtest.fast.columns import FastRows, fast_columns
from lpmanager.backtest.fast.drift import drift_of
from lpmanager.backtest.fast.policies import strategy_of
from lpmanager.backtest.fast.strategy import (
    FEES,
    GAS,
    HODL,
    START,
    SWAP_COST,
    VALUE,
    Conditions,
    run_logged,
)
from lpmanager.backtest.fast.told.curves import Quote, curve_of
from lpmanager.backtest.fast.told.moves import FastMove, Life, lives_of, moves_of, root_before
from lpmanager.backtest.fast.volatility import variance_rates
from lpmanager.backtest.markets.market import Market, Times
from lpmanager.backtest.markets.volume import quote_volume
from lpmanager.backtest.replay.meter import Band
from lpmanager.backtest.report.run import Held, Move, Numbers, Run
from lpmanager.model import Token
from lpmanager.rebalancer import Policy

LEFT_OUT = (
    "Fast mode carries out what the policy wants at once, with its own price impact. It does not "
    "ask the payback gate, the limits per day, the TWAP or the latency that `lpm backtest` in "
    "exact mode and the live manager ask, and it does not halt after a loss."
)
_GAS_NOTE = "Gas is what the manager sets aside for each action, which is more than contracts use."
#: What a report of fast mode leaves out, and why.
UNTOLD: Mapping[str, str] = {
    "hedge": "fast mode hedges by no swap",
    "rounding": "fast mode rounds nothing to raw units",
    "holds": "fast mode asks no gates",
    "halted": "fast mode does not watch for losses",
    "block": "fast mode counts no blocks",
}
#: Samples of the curves, beside those at moves: a picture shows fewer.
_MOST_SAMPLES = 20_000


def fast_run(
    market: Market, policy: Policy, conditions: Conditions, quote: Token, history_s: int
) -> Run:
    """Run a policy that has a kernel over a whole market.

    The terms of the result are estimates in floats, each measured on its own, to the quote token's
    decimals. Curves have a sample for each decision, or for at least 20,000 of them. Raises
    UsageError for a policy without a kernel.
    """
    rows = fast_columns(market)
    rates = variance_rates(rows, history_s)
    found, log = run_logged(rows, strategy_of(policy), rates, conditions)
    moves = moves_of(rows, log)
    lives = lives_of(rows, moves)
    counted = Quote(pool=market.pool, token=quote, native_price=conditions.native_price)
    decided = _decisions(rows, conditions.every_s)
    stops = _stops(rows, decided, moves)
    curve = curve_of(rows, stops, moves, lives, conditions, counted)
    value_at = dict(zip(stops.tolist(), curve.value.tolist(), strict=True))
    return Run(
        market=market.name,
        policy=type(policy).__name__,
        mode="fast",
        pool=market.pool,
        quote=quote,
        start=rows.start_time,
        end=int(rows.time[-1]),
        rows=len(rows.time),
        pool_volume=quote_volume(market, quote),
        decisions=len(decided),
        curve=curve,
        held=tuple(_held(rows, number, life) for number, life in enumerate(lives, 1)),
        moves=tuple(_moves(rows, moves, counted, value_at)),
        holds=None,
        halted=None,
        result=_result(rows, found, moves, lives, counted),
        drift=drift_of(market, rows),
        notes=(*market.notes, LEFT_OUT, _GAS_NOTE),
        untold=UNTOLD,
    )


def _decisions(rows: FastRows, every_s: int) -> Times:
    """The rows before which the policy is asked: at the start, and behind the first row that is
    over at each multiple of `every_s` since."""
    slots = (rows.time - rows.start_time) // every_s
    begins = np.flatnonzero(np.diff(slots, prepend=0)) + 1
    return np.concatenate(([0], begins[begins < len(slots)])).astype(np.int64)


def _stops(rows: FastRows, decided: Times, moves: Sequence[FastMove]) -> Times:
    """Where the curves have samples: decisions, or some of them, all moves, and the end."""
    some = decided[:: -(-len(decided) // _MOST_SAMPLES)]
    return np.unique([*some, *(move.row for move in moves), len(rows.time)])


def _time_before(rows: FastRows, row: int) -> int:
    return int(rows.time[row - 1]) if row else rows.start_time


def _held(rows: FastRows, number: int, life: Life) -> Held:
    return Held(
        token_id=number,
        range=life.position.range,
        liquidity=round(life.position.liquidity),
        opened=_time_before(rows, life.first),
        closed=None if life.is_open else _time_before(rows, life.behind),
    )


def _moves(
    rows: FastRows, moves: Sequence[FastMove], quote: Quote, value_at: Mapping[int, float]
) -> Iterator[Move]:
    for move in moves:
        root = np.array(move.before)
        yield Move(
            time=_time_before(rows, move.row),
            block=None,
            reason="the policy wants other ranges" if move is not moves[0] else "the first ranges",
            gas_quote=float(quote.coins(np.array(move.gas_wei), root)),
            swap_cost_quote=_worth(quote, move.swapped, move.before),
            ranges=tuple(position.range for position in move.positions),
            value_quote=value_at[move.row],
            price=float(quote.prices(root)),
        )


def _worth(quote: Quote, raw: tuple[float, float], root: float) -> float:
    return float(quote.worth(np.array(raw[0]), np.array(raw[1]), np.array(root)))


def _result(
    rows: FastRows,
    found: Numbers,
    moves: Sequence[FastMove],
    lives: Sequence[Life],
    quote: Quote,
) -> dict[str, Decimal]:
    """The terms of the identity that fast mode knows, and what they leave over."""
    scale = 10.0**-quote.token.decimals
    floats = {
        "nav_start": found[START] * scale,
        "net_deposits": 0.0,
        "hodl": (found[HODL] - found[START]) * scale,
        "impermanent_loss": _impermanent_loss(rows, moves, lives, quote),
        "fees": found[FEES] * scale,
        "swap_cost": found[SWAP_COST] * scale,
        "gas": found[GAS] * scale,
        "nav_end": found[VALUE] * scale,
        "hodl_value": found[HODL] * scale,
    }
    result = {
        term: round(Decimal(float(value)), quote.token.decimals) for term, value in floats.items()
    }
    gained = sum(result[term] for term in ("nav_start", "hodl", "impermanent_loss", "fees"))
    left = result["nav_end"] - (gained - result["swap_cost"] - result["gas"])
    return {**result, "identity_error": left}


def _impermanent_loss(
    rows: FastRows, moves: Sequence[FastMove], lives: Sequence[Life], quote: Quote
) -> float:
    """What the pool exchanged inside the positions, and what re-ranging swapped at the price just
    before, at the end's price: as `lpmanager.ledger.result` has it."""
    end, total = root_before(rows, len(rows.time)), 0.0
    for life in lives:
        band = Band.of(*life.position)
        (new0, new1), (old0, old1) = band.amounts(life.left_at), band.amounts(life.minted_at)
        total += _worth(quote, (new0 - old0, new1 - old1), end)
    for move in moves:
        paid0, paid1 = move.swapped
        total += _worth(quote, (-paid0, -paid1), end) + _worth(quote, move.swapped, move.before)
    return total
