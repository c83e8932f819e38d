"""What a chain and its RPCs say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from eth_utils.crypto import keccak

from lpmanager.chain.node import Node, chain_id_question, code_question
from lpmanager.chain.presets import Chain
from lpmanager.chain.providers import Standing
from lpmanager.chain.transport import HttpTransport
from lpmanager.config import relay_url
from lpmanager.desk.nodes import booked_genesis, open_node, open_providers
from lpmanager.doctor.check import Check, attempt
from lpmanager.errors import (
    ChainError,
    ClockDrift,
    ConfigError,
    LpmError,
    RpcUnavailable,
    StoreError,
    WrongChain,
)
from lpmanager.settings import Settings


def look_at_chain(settings: Settings, chain: Chain, clock: Callable[[], int]) -> Iterator[Check]:
    """Each RPC and the relay, then whether enough RPCs agree; only then anything else is asked."""
    genesis = _genesis(settings, chain)
    try:
        providers = open_providers(settings, chain, clock, genesis)
    except ConfigError as error:
        yield Check(subject=chain.name, name="RPC", passed=False, found=str(error), needed=True)
        return
    for standing in providers.standings():
        yield _rpc(chain, standing, clock)
    url = relay_url(settings, chain)
    if url is not None:
        relay = HttpTransport(url, float(settings.rpc.timeout_s))
        yield attempt(chain.name, f"relay {relay.name}", partial(_relay, settings, chain, relay))
    try:
        head = providers.head()
    except LpmError as error:
        name = "clock" if isinstance(error, ClockDrift) else "quorum"
        yield Check(subject=chain.name, name=name, passed=False, found=str(error), needed=True)
        return
    agreed = f"enough RPCs agree on block {head.number:,}, {head.hash}"
    yield Check(subject=chain.name, name="quorum", passed=True, found=agreed)
    kept = "a devnet's own" if chain.devnet else "not behind the chain's"
    yield Check(subject=chain.name, name="clock", passed=True, found=kept)
    yield _contracts(chain, open_node(settings, chain, clock, genesis))


def _genesis(settings: Settings, chain: Chain) -> str | None:
    try:
        return booked_genesis(settings, chain)
    except StoreError:
        return None  # the check of the database tells of it


def _rpc(chain: Chain, standing: Standing, clock: Callable[[], int]) -> Check:
    head = standing.head
    found = (
        f"serves chain {chain.chain_id}, block {head.number:,} is {clock() - head.timestamp} s old"
        if head is not None
        else str(standing.trouble)
    )
    name = f"RPC {standing.name}"
    return Check(subject=chain.name, name=name, passed=head is not None, found=found)


def _relay(settings: Settings, chain: Chain, relay: HttpTransport) -> str:
    """Whether it answers at all: many a relay knows no method but the sending of transactions."""
    try:
        found = Node(relay, chain.chain_id).ask(chain_id_question())
    except RpcUnavailable as error:
        fallback = settings.transactions.relay_fallback
        if fallback == "never":
            raise RpcUnavailable(
                f'{error}; no call is mined without it while transactions.relay_fallback is "never"'
            ) from error
        return f"{error}; transactions go to the public RPCs after {fallback} s"
    except ChainError as error:
        return f"answers, but does not tell its chain: {error}"
    if found != chain.chain_id:
        raise WrongChain(f"serves chain {found}, not {chain.chain_id}; correct its URL")
    return f"serves chain {found}"


def _contracts(chain: Chain, node: Node) -> Check:
    name = "venue contracts"
    try:
        codes = _codes(chain, node)
    except LpmError as error:
        return Check(subject=chain.name, name=name, passed=False, found=str(error))
    hashes = {key: "0x" + keccak(code).hex() for key, code in codes.items()}
    missing = [key for key, code in codes.items() if not code]
    wrong = [key for key, known in chain.code_hashes.items() if hashes[key] != known]
    unknown = {key: found for key, found in hashes.items() if key not in chain.code_hashes}
    paste = ""
    if missing:
        found = f"no contract at {', '.join(missing)}; correct the chain's addresses"
    elif wrong:
        found = (
            f"another contract at {wrong[0]}: expected code of hash "
            f"{chain.code_hashes[wrong[0]]}, found {hashes[wrong[0]]}; do not use it"
        )
    elif unknown:
        found = (
            f"all {len(codes)} have code; not compared, as no hash of theirs is known: "
            f"{', '.join(unknown)}"
        )
        lines = [f'{key} = "{seen}"' for key, seen in unknown.items()]
        paste = "\n".join([f"[chains.{chain.name}.code_hashes]", *lines])
    else:
        found = f"all {len(codes)} have the code that is known by its hash"
    return Check(
        subject=chain.name,
        name=name,
        passed=not missing and not wrong,
        found=found,
        details=hashes,
        paste=paste,
    )


def _codes(chain: Chain, node: Node) -> dict[str, bytes]:
    """The code of every contract that is relied on, by the key that names its address."""
    venue = chain.uniswap_v3
    addresses = {
        "factory": venue.factory,
        "position_manager": venue.position_manager,
        "swap_router": venue.swap_router,
        "quoter": venue.quoter,
        "tick_lens": venue.tick_lens,
        "wrapped_native": chain.wrapped_native,
    }
    at = node.head()
    codes = node.ask_many([code_question(address, at) for address in addresses.values()])
    return dict(zip(addresses, codes, strict=True))
