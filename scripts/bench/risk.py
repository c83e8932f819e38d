"""How fast the risk desk is: a day of events, Monte Carlo, a calibration, and `lpm risk` whole.

Run: make bench. The markets and the option chain are generated. Seconds are of CPU, the best of
several runs; compiled loops are loaded before the first one that counts.
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import QuantLib as ql
from side_by_side.cpu_time import ROUNDS, best_cpu_s
from side_by_side.swinging import ticks_of_minutes

from lpmanager.backtest.markets.gas_prices import FixedGasPrice
from lpmanager.backtest.markets.minutes import MINUTE_COLUMNS
from lpmanager.backtest.markets.synthetic import Setting, gbm
from lpmanager.backtest.replay.exact import Replay
from lpmanager.backtest.replay.tape import tape_of
from lpmanager.backtest.replay.terms import Terms
from lpmanager.chain.presets import presets
from lpmanager.model import PoolKey, Token
from lpmanager.rebalancer import Limits, View, decide
from lpmanager.rebalancer.assessment import assessment
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.judging import is_ignored
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk import assess
from lpmanager.risk.heston.calibration import HestonFit, calibrated
from lpmanager.risk.heston.chain import Chain, read_chain
from lpmanager.risk.heston.chain import Terms as ChainTerms
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.missing import Missing
from lpmanager.risk.monte_carlo.distribution import Distribution, distribution_of
from lpmanager.risk.monte_carlo.simulation import Diffusion, Draw, simulated_results
from lpmanager.risk.stake import Stake
from lpmanager.settings import CampaignTable, RiskTable

RESULTS = Path(__file__).parent / "results" / "risk.txt"
DAY_S, DAYS = 86_400, 35
BEGINS = datetime(2024, 1, 5, tzinfo=UTC)
TICK, SIGMA, SWAPS = 200_000, 0.04, 6_000
#: Half of the range that is held, in ticks, and of one that is wanted in its place.
WIDE, WIDER = 2_000, 2_500
PATHS = 100_000
CHAIN = ChainTerms(as_of=date(2024, 1, 5), spot=2_000.0)
EXPIRIES, STRIKES = (7, 14, 30, 60, 90, 120, 180, 240, 300, 360), 10
#: Of the generated chain, a year; of the simulation, a day.
YEARLY = {"v0": 0.5, "kappa": 2.0, "theta": 0.6, "sigma": 1.1, "rho": -0.4}
DAILY = Heston(start=0.0016, mean=0.0016, reversion=0.05, vol_of_vol=0.003, correlation=-0.4)
#: Every limit of risk, of which none stops anything; what cannot be told is left out.
EVERY_LIMIT = {
    "missing": "ignore",
    "min_fee_to_lvr": "0.001",
    "leave_below_fee_to_lvr": "0.001",
    "max_toxic_share": "1",
    "pause_after_jump": 1,
    "max_crash_loss": "0.9",
    "max_cvar": "0.9",
    "max_vpin": "1",
    "min_twap_attack_cost": "0.000001",
    "max_concentration": "1",
    "min_stay_probability": "0.001",
    "min_width_to_swing": "0.001",
    "act_at_capacity_used": "1",
    "must_at_capacity_used": "1",
    "reserve_at_budget_used": "1",
    "risk_aversion": "3",
    "hedge_to": "least_cvar",
    "max_gas_to_fees": "1000",
    "max_share_in_token": "1",
    "max_share_in_pool": "1",
    "max_share_in_issuer": "1",
    "max_share_in_lender": "1",
    "leave_on_depeg": True,
    "max_base_fee_to_usual": "1000",
    "min_healthy_rpcs": 1,
    "pause_after_change": 1,
    "regimes": {"turbulent": {"width": "1.5"}},
}
#: Which of several ways a limit is asked in, or how old what it asks of may be.
WAYS = {"scenarios", "heston", "regimes_by", "max_neighbour_age", "max_calibration_age"}
#: It would leave: the flow of this day is arbitrage for the most part.
LEAVES = {"leave_while_toxic"}


def a_day() -> tuple[View, Limits]:
    """A campaign at the end of a day with some four swaps a minute, all of it looked back on."""
    chain = presets()["ethereum"]
    tokens = [
        Token(chain_id=chain.chain_id, address=f"0x{n:040x}", symbol=symbol, decimals=decimals)
        for n, (symbol, decimals) in enumerate((("USDC", 6), ("WETH", 18)), start=1)
    ]
    pool = PoolKey(
        address=f"0x{9:040x}", token0=tokens[0], token1=tokens[1], fee_pips=500, tick_spacing=10
    )
    setting = Setting(
        pool=pool,
        begins=int(BEGINS.timestamp()),
        step_s=114,
        tick=TICK,
        liquidity=10**19,
        noise0=10**10,
        noise1=10**18,
    )
    market = gbm(setting, steps=SWAPS // 8, sigma=SIGMA, seed=1)
    terms = Terms(
        deposit=pool.amounts(10**10, 5 * 10**18),
        quote=pool.token0,
        every_s=DAY_S // 24,
        trigger_ticks=None,
        latency_blocks=1,
        block_s=chain.block_time_s,
        gas=FixedGasPrice(10**9),
        native=chain.native,
        native_price=None,
        wrapped_native=pool.token1,
    )
    table = CampaignTable.model_validate(
        {
            "pool": "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
            "quote": "USDC",
            "policy": "fixed_width",
            "limits": {"history_s": DAY_S, "max_swap_cost_per_day": "100", "max_gas_per_day": "1"},
        }
    )
    limits = table.limits_for(chain, pool.token0)
    replay = Replay(
        market, tape_of(market, terms.block_s), terms, FixedWidth(half_width_ticks=WIDE), limits
    )
    while not replay.is_over:
        replay.step()
    return replay.look(market.end), limits


def a_chain() -> Chain:
    """A hundred calls and puts, out of the money, as Heston's model prices them."""
    today = ql.Date(CHAIN.as_of.day, CHAIN.as_of.month, CHAIN.as_of.year)
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    process = ql.HestonProcess(
        flat, flat, ql.QuoteHandle(ql.SimpleQuote(CHAIN.spot)), *YEARLY.values()
    )
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 128)
    rows = ["expiry,strike,type,price"]
    for days in EXPIRIES:
        deviation = (YEARLY["theta"] * days / 365) ** 0.5
        for place in np.linspace(-1.5, 1.5, STRIKES):
            strike = CHAIN.spot * float(np.exp(place * deviation))
            kind = ql.Option.Put if strike < CHAIN.spot else ql.Option.Call
            option = ql.VanillaOption(
                ql.PlainVanillaPayoff(kind, strike), ql.EuropeanExercise(today + days)
            )
            option.setPricingEngine(engine)
            name = "put" if kind == ql.Option.Put else "call"
            expiry = CHAIN.as_of + timedelta(days)
            rows.append(f"{expiry},{strike!r},{name},{option.NPV()!r}")
    return read_chain(rows, CHAIN, "generated")


def write_minutes(path: Path) -> None:
    """Minutes of a price that swings around its beginning, as files of recorded markets have."""
    random, count = np.random.default_rng(1), 1_440 * DAYS
    ways = TICK + np.concatenate(([[0] * 6], ticks_of_minutes(random, count)))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(MINUTE_COLUMNS)
        for number in range(count):
            opened, way = int(ways[number, -1]), ways[number + 1]
            low, high = min(opened, int(way.min())), max(opened, int(way.max()))
            when = f"{BEGINS + timedelta(minutes=number):%Y-%m-%d %H:%M:%S}"
            writer.writerow([when, 0, 0, way[-1], opened, low, high, 10**10, 5 * 10**18, 10**19])


def with_every_limit(limits: Limits) -> Limits:
    """The limits, and every one of risk; ends the run where a new one is not in `EVERY_LIMIT`."""
    forgotten = set(RiskTable.model_fields) - set(EVERY_LIMIT) - WAYS - LEAVES
    if forgotten:
        sys.exit(f"risk: EVERY_LIMIT is without {', '.join(sorted(forgotten))}")
    return replace(limits, appetite=RiskTable.model_validate(EVERY_LIMIT).appetite)


def assess_s(view: View, limits: Limits) -> float:
    """A day's outlook and all its measures."""

    def run() -> None:
        assess(view.snapshot)
        assessment(view, limits)

    return best_cpu_s(run)


def decide_s(view: View, limits: Limits) -> float:
    """A decision on a range that is too narrow for its policy, so that every limit is asked."""
    policy = FixedWidth(half_width_ticks=WIDER)

    def run() -> None:
        found = decide("bench", view, policy, limits).gates
        gates = {gate.name for gate in found if not is_ignored(gate)}
        if not {"CVaR of a day", "crash", "stay", "swing", "share in token"} <= gates:
            sys.exit(f"risk: a limit was not asked: {', '.join(sorted(gates))}")

    return best_cpu_s(run)


def cvar_s(stake: Stake, dynamics: Diffusion | Heston) -> float:
    """A day of as many paths, to their distribution."""

    def run() -> None:
        draw = Draw(horizon_s=DAY_S, seed=1, paths=PATHS)
        found = distribution_of(simulated_results(stake, dynamics, draw))
        if not isinstance(found, Distribution):
            sys.exit(f"risk: {found.reason}")

    return best_cpu_s(run)


def calibration_s() -> tuple[float, int]:
    """From a chain that was read to the fit, and how many quotes were fitted."""
    chain = a_chain()
    fit = calibrated(chain)
    if not isinstance(fit, HestonFit):
        sys.exit(f"risk: {fit.reason}")
    return best_cpu_s(lambda: calibrated(chain)), fit.quotes


def whole_s() -> float:
    """The command, from its start to its end, on weeks of minutes with a policy in them."""
    with tempfile.TemporaryDirectory() as name:
        write_minutes(Path(name) / "minutes.csv")
        command = [
            *(str(Path(sys.executable).parent / "lpm"), "risk", "--market", "minutes.csv"),
            *("--pair", "USDC/WETH", "--fee", "0.05%", "--chain", "ethereum", "--json"),
            *("--value", "10000", "--gas-gwei", "1"),
            *("--policy", "fixed_width", "--option", "half_width_ticks=2000", "--every", "4h"),
        ]

        def run() -> float:
            before = children_cpu_s()
            done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"risk: {done.stderr}")
            return children_cpu_s() - before

        run()
        return min(run() for _ in range(3))


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def lines() -> Iterator[str]:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    yield f"the risk desk, on generated markets; CPU time, best of {ROUNDS}; {today}"
    yield ""
    view, limits = a_day()
    outlook, flow, limited = view.outlook, view.snapshot.flow, with_every_limit(limits)
    if isinstance(outlook, Missing) or flow is None:
        sys.exit("risk: the day has no outlook")
    name = f"a day of {len(flow.swaps):,} swaps: outlook and measures"
    yield goal(name, assess_s(view, limits) * 1_000, "ms", 100)
    yield goal("the same with every limit given", assess_s(view, limited) * 1_000, "ms", 100)
    yield figure("a decision that asks every limit", decide_s(view, limited) * 1_000, "ms")
    stake = stake_now(view, outlook)
    steady = Diffusion(variance_rate=SIGMA**2 / DAY_S)
    yield goal(f"CVaR of {PATHS:,} paths, steady", cvar_s(stake, steady), "s", 1)
    yield goal(f"CVaR of {PATHS:,} paths, Heston", cvar_s(stake, DAILY), "s", 1)
    took, quotes = calibration_s()
    yield goal(f"Heston fitted to {quotes} quotes", took, "s", 1)
    yield goal(f"lpm risk --market, {DAYS} days of minutes", whole_s(), "s", 5)


def goal(name: str, found: float, unit: str, most: float) -> str:
    met = "met" if found < most else "MISSED"
    return f"{figure(name, found, unit)} under {most:,.0f}: {met}"


def figure(name: str, found: float, unit: str) -> str:
    return f"{name:48}{found:>10,.2f} {unit:4}"


def main() -> None:
    found = []
    for line in lines():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        found.append(line)
    RESULTS.write_text("\n".join(found) + "\n", encoding="utf-8")


main()
