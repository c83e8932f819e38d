"""The chains of a configuration, by its RPCs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from lpmanager.chain.breaker import Breaker
from lpmanager.chain.node import Node
from lpmanager.chain.presets import Chain
from lpmanager.chain.providers import MOST_AHEAD_S, Provider, Providers, Terms, log_what_is_repeated
from lpmanager.chain.quorum import default_quorum
from lpmanager.chain.transport import HttpTransport
from lpmanager.chain.urls import masked
from lpmanager.config import relay_url, rpc_urls
from lpmanager.ledger.chains import known_genesis
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings

#: RPCs that are further apart are not abreast: blocks, or on fast chains the blocks of so many
#: seconds.
_LAG_BLOCKS = 2
_LAG_S = 3


def booked_genesis(settings: Settings, chain: Chain) -> str | None:
    """The hash of the first block of the chain that the store's books are of; None where it has
    none yet. Raises StoreError where the store does not open."""
    ledger = Ledger.read(settings.store)
    try:
        return known_genesis(ledger.engine, chain.chain_id)
    finally:
        ledger.engine.dispose()


def open_node(
    settings: Settings, chain: Chain, clock: Callable[[], int], genesis: str | None = None
) -> Node:
    """The chain by the configured RPCs, whose head is agreed on and young by `clock`, and by the
    relay where one is configured.

    With `genesis` only RPCs whose chain began with the block of that hash are believed. Raises
    ConfigError where no RPC is configured.
    """
    providers = open_providers(settings, chain, clock, genesis)
    url = relay_url(settings, chain)
    relay = None if url is None else HttpTransport(url, float(settings.rpc.timeout_s))
    return Node(providers, chain.chain_id, providers.head, relay, providers.in_use)


def open_providers(
    settings: Settings, chain: Chain, clock: Callable[[], int], genesis: str | None = None
) -> Providers:
    """The configured RPCs of a chain. Raises ConfigError where there is none."""
    log_what_is_repeated()
    urls = rpc_urls(settings, chain)
    hosts = [masked(url) for url in urls]
    names = [
        host if hosts.count(host) == 1 else f"{host} (URL {place})"
        for place, host in enumerate(hosts, start=1)
    ]
    timeout_s = float(settings.rpc.timeout_s)
    terms = Terms(
        chain_id=chain.chain_id,
        genesis=genesis,
        quorum=settings.rpc.quorum or default_quorum(len(urls)),
        clock=clock,
        max_head_age_s=settings.max_head_age_s(chain),
        most_ahead_s=None if chain.devnet else MOST_AHEAD_S,
        lag_blocks=max(_LAG_BLOCKS, math.ceil(_LAG_S / chain.block_time_s)),
        patience_s=timeout_s,
    )
    return Providers(
        [
            Provider(
                name=name,
                transport=HttpTransport(url, timeout_s, name),
                breaker=Breaker(time.monotonic),
            )
            for name, url in zip(names, urls, strict=True)
        ],
        terms,
    )
