"""Campaigns wired up: market, books, policy and custody."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.chain.node import block_hash_question
from lpmanager.chain.transfers import find_transfers, received
from lpmanager.cycle import Campaign, Custody
from lpmanager.desk.markets import Market, Markets
from lpmanager.desk.signing import campaign_policy, open_custody
from lpmanager.errors import ConfigError
from lpmanager.execution.signer import Signer
from lpmanager.ledger.by_hand import ByHand
from lpmanager.ledger.calibrations import kept_calibration
from lpmanager.ledger.chains import note_genesis
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.neighbours import Neighbourhood
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amounts, Snapshot
from lpmanager.rebalancer import make_policy
from lpmanager.reconciliation import OutsideTransfers
from lpmanager.settings import Settings


def open_campaign(
    settings: Settings, name: str, market: Market, ledger: Ledger, custody: Custody | None
) -> Campaign:
    """The campaign wired up. Without `custody` it is a dry run: nothing is sent, and the books it
    keeps are a copy in memory."""
    table = settings.campaigns[name]
    try:
        policy = make_policy(table.policy, table.options)
    except ConfigError as error:
        raise ConfigError(f"campaigns.{name}.{error}") from error
    books = open_books(
        settings, name, market, ledger if custody is not None else ledger.rehearsal()
    )

    def read() -> Snapshot:
        with Diary(ledger.engine, name).halting_on_drift():
            return market.reader.read(books.open_positions(market.pool), books.landmarks().heights)

    return Campaign(
        name=name,
        read=read,
        block_hash=lambda height: market.node.ask(block_hash_question(height)),
        policy=policy,
        limits=table.limits_for(market.chain, market.quote),
        books=books,
        custody=custody,
        calibration=lambda: kept_calibration(ledger.engine, name),
    )


def open_books(settings: Settings, name: str, market: Market, ledger: Ledger) -> Bookkeeper:
    """The campaign's books in a ledger."""
    return Bookkeeper(
        name,
        ledger,
        settings.account.address,
        market.budget,
        _outside_transfers(market, market.vault or settings.account.address),
        ByHand(settings.campaigns[name].changed_by_hand),
        Neighbourhood(
            ledger.engine,
            name,
            frozenset(settings.campaigns) - {name},
            settings.issuers,
            settings.known_pegs(),
            settings.known_loans(),
        ),
    )


def dry_campaign(settings: Settings, name: str, markets: Markets) -> Campaign:
    """The campaign with a copy of its books, as they are now, in memory: nothing is written or
    signed. Raises as `Markets.open`, and StoreError."""
    books = Ledger.read(settings.store)
    return open_campaign(settings, name, markets.open(name, books), books, custody=None)


def live_campaign(
    settings: Settings,
    name: str,
    markets: Markets,
    ledger: Ledger,
    signer: Signer,
    stop_asked: Callable[[], bool],
) -> Campaign:
    """The campaign, able to sign; from the first time on, only on that very chain. Hold the locks
    at `lock_paths` while it lives. Raises as `Markets.open`."""
    with Diary(ledger.engine, name).halting_on_drift():
        market = markets.open(name, ledger)
        note_genesis(ledger.engine, market.chain.chain_id, market.node.genesis())
    policy = campaign_policy(settings, name, market.chain)
    custody = open_custody(name, market, ledger, signer, policy, stop_asked)
    return open_campaign(settings, name, market, ledger, custody)


def _outside_transfers(market: Market, holder: str) -> OutsideTransfers:
    tokens = [market.pool.token0.address, market.pool.token1.address]

    def moved(first_block: int, last_block: int, ours: frozenset[str]) -> Amounts:
        wrapped = market.chain.wrapped_native
        found = find_transfers(market.node, tokens, wrapped, holder, first_block, last_block)
        outside = [transfer for transfer in found if transfer.tx_hash not in ours]
        return market.pool.amounts(*(received(outside, token, holder) for token in tokens))

    return moved
