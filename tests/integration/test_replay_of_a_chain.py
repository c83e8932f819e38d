"""What happened on a chain, replayed from its events: the same fees, and the same decisions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from builders import a_limits
from devnet_world import ALL, CHECKED, World, a_world
from fetch_world import Told, a_shelf, fetched
from replay_builders import a_replay, a_world_of, some_terms

from lpmanager.backtest.markets.market import Market
from lpmanager.backtest.replay.exact import NAME
from lpmanager.backtest.store.shelf import read
from lpmanager.bookkeeping import Bookkeeper
from lpmanager.chain.node import block_hash_question
from lpmanager.chain.reader import Reader
from lpmanager.cycle import Campaign, Cycle, run_cycle
from lpmanager.ledger.store import Ledger
from lpmanager.model import Hold, Plan, Snapshot
from lpmanager.rebalancer import Limits, decide
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk import assess

POLICY = FixedWidth(half_width_ticks=300)


def as_recorded(world: World, root: Path) -> Market:
    """All that ever happened in the chain's pool, fetched."""
    fetched(Told(world), root)
    return read(a_shelf(root, world.pool))


def test_a_position_earned_to_the_wei_what_collect_paid(tmp_path: Path) -> None:
    with a_world() as world:
        owner = world.backend.accounts[3]
        token_id = world.mint(owner, "[198900, 199500)", 10**9, 10**18)
        paid = [0, 0]
        for raw, zero_for_one in ((10**11, True), (9 * 10**19, False), (2 * 10**11, True)):
            world.trade(raw, zero_for_one=zero_for_one)
            for token, raw_paid in enumerate(world.collect(owner, token_id)):
                paid[token] += raw_paid
        market = as_recorded(world, tmp_path)
        manager = world.deployment.position_manager
    replayed = a_world_of(market)
    assert len(list(replayed.pass_time(market.end))) > 1
    position = manager, 198_900, 199_500
    replayed.pool.burn(*position, 0)
    assert replayed.pool.collect(*position, ALL, ALL) == tuple(paid)
    assert min(paid) > 0


@dataclass(frozen=True)
class DryRun:
    """Dry cycles of a campaign that holds tokens, at some blocks of a market's life."""

    market: Market
    cycles: list[Cycle]


@pytest.fixture(scope="module")
def dry_run(tmp_path_factory: pytest.TempPathFactory) -> DryRun:
    with a_world() as world:
        account, _ = world.new_account("dry", 10**10, 10**19)
        watch = world.watch(account, history_blocks=15)
        reader = Reader(
            world.node, world.venue, watch, lambda: world.node.head().timestamp, CHECKED
        )
        books = Bookkeeper(NAME, Ledger.open("sqlite://"), account, None, lambda *_: None)
        campaign = Campaign(
            name=NAME,
            read=lambda: reader.read(frozenset(), books.landmarks().heights),
            block_hash=lambda height: world.node.ask(block_hash_question(height)),
            policy=POLICY,
            limits=limits_of(600),
            books=books,
            custody=None,
        )
        cycles = []
        for trade in range(40):
            back = trade % 7 == 6
            world.trade(4 * 10**19 if back else 3 * 10**10, zero_for_one=not back)
            if trade % 4 == 3:
                world.pass_time(97 * trade)
            if trade > 5 and trade % 3 == 2:
                cycles.append(run_cycle(campaign))
        return DryRun(as_recorded(world, tmp_path_factory.mktemp("store")), cycles)


def by_whom(snapshot: Snapshot) -> list[str]:
    """Who sent each swap of the flow; there is one at least, and all are known."""
    assert snapshot.flow is not None
    senders = [swap.sender for swap in snapshot.flow.swaps]
    assert senders
    assert all(senders)
    return senders


def limits_of(history_s: int) -> Limits:
    return a_limits(twap_window_s=60, history_s=history_s, max_twap_deviation_ticks=20)


def test_a_dry_run_and_the_replay_decide_alike(dry_run: DryRun) -> None:
    """Every decision, with every gate and its number. What a record of a market cannot tell (the
    block's number and hash, the price of gas, the coins for it, whether the tokens are sound) is
    taken over from the chain."""
    kinds, began = set(), int(dry_run.market.rows.time[0])
    for cycle in dry_run.cycles:
        live = cycle.snapshot
        assert live.flow is not None
        assert live.block.timestamp - live.flow.seconds >= began
        limits = limits_of(live.flow.seconds)
        terms = some_terms(dry_run.market.pool, *live.wallet.balances.raw, every_s=10**9)
        seen = a_replay(dry_run.market, terms, POLICY, limits).look(live.block.timestamp)
        snapshot = replace(
            seen.snapshot,
            block=live.block,
            read_at=live.read_at,
            wallet=live.wallet,
            tokens=live.tokens,
            gas_price=live.gas_price,
        )
        seen = replace(seen, snapshot=snapshot, outlook=assess(snapshot))
        assert decide(NAME, seen, POLICY, limits) == cycle.decision
        assert by_whom(snapshot) == by_whom(live)
        kinds.add(type(cycle.decision))
    assert kinds == {Plan, Hold}
