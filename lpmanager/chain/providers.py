"""Several RPCs of one chain as one: what is read comes from an RPC that agrees on the head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import stamina
import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from lpmanager.chain.breaker import Breaker, BreakerState
from lpmanager.chain.node import (
    Node,
    block_question,
    chain_id_question,
    require_same_genesis,
)
from lpmanager.chain.quorum import Agreement, agree
from lpmanager.chain.transport import SEND_RAW, Request, RpcError, Transport
from lpmanager.errors import ChainError, ClockDrift, RpcUnavailable, WrongChain
from lpmanager.model import Block

#: How often what is read is asked for, and the pauses between, in seconds.
_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2.0
_JITTER_S = 0.2

#: Blocks that RPCs may differ in after a small reorganisation, until all of them have seen it.
_REORGANISED = 2

#: A block is stamped by the clock of whoever made it, before anybody has seen it. Where one is from
#: further in the future by ours, ours is wrong.
MOST_AHEAD_S = 5

#: JSON-RPC codes by which a node says "not now": over the limit, too many requests.
_BUSY = {-32005, 429}


class _FromTheFuture(ChainError):
    """An RPC's newest block is of a time that has not come yet."""

    def __init__(self, message: str, head_at: int) -> None:
        super().__init__(message)
        self.head_at = head_at


@dataclass(frozen=True, eq=False, slots=True)
class Provider:
    """One RPC of a chain, by the name under which it is told of. It holds no key of its URL."""

    name: str
    transport: Transport
    breaker: Breaker

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """As the transport; what the answer is worth is noted in the breaker."""
        try:
            answers = self.transport.request_many(requests)
            for (method, _), answer in zip(requests, answers, strict=True):
                if isinstance(answer, RpcError) and _is_busy(method, answer):
                    raise RpcUnavailable(f"{self.name}: is busy: {answer.message}")
        except RpcUnavailable:
            self.breaker.failed()
            raise
        self.breaker.answered()
        return answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What it takes to be believed.

    A head is told alike by `quorum` RPCs, and not more than `max_head_age_s` away from `clock`
    (Unix seconds). `most_ahead_s` is how far in its future a head may be before that clock is
    wrong; None on a chain that does not keep the time of day. Who is more than `lag_blocks` behind
    what a quorum has reached is left out. `genesis` is the hash of the chain's first block, or None
    where that is not known yet. `patience_s` is how long after its first attempt a read may still
    be tried again.
    """

    chain_id: int
    genesis: str | None
    quorum: int
    clock: Callable[[], int]
    max_head_age_s: int
    most_ahead_s: int | None
    lag_blocks: int
    patience_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One RPC at a look: its head, or what is wrong with it."""

    name: str
    head: Block | None
    trouble: str | None


class Providers:
    """A Transport over the RPCs of a chain, which asks only those that agree on the head.

    A read that one does not answer, or refuses, is asked of the next; what all that made the quorum
    refuse is asked of the others too that have its block. What none answers is asked of all again
    after a pause. A signed transaction is handed to each of them once.
    """

    def __init__(self, providers: Sequence[Provider], terms: Terms) -> None:
        self._providers = tuple(providers)
        self._terms = terms
        self._agreement: Agreement[Provider] | None = None

    def head(self) -> Block:
        """The newest block that enough RPCs agree on.

        Raises RpcUnavailable where too few answer, WrongChain where they serve another chain,
        ClockDrift where as many as must agree are ahead of our clock, and ChainError, naming each
        and what it said, where they disagree or their heads are old.
        """
        self._agreement = None
        for attempt in self._patience():
            with attempt:
                agreement = self._elect(silent={})
        return agreement.block

    def request_many(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """The answers of one RPC that agrees on the newest head. Raises as `head`."""
        if any(method == SEND_RAW for method, _ in requests):
            return self._hand_to_each(requests)
        for attempt in self._patience():
            with attempt:
                answers = self._ask_agreeing(requests)
        return answers

    def standings(self) -> list[Standing]:
        """How each RPC stands by itself, asked once."""
        return [self._standing(provider) for provider in self._providers]

    def in_use(self) -> tuple[int, int]:
        """How many RPCs have not failed several times in a row, and how many there are.

        Nobody is asked: one that was not needed so far counts as in use.
        """
        closed = [p for p in self._providers if p.breaker.state is BreakerState.CLOSED]
        return len(closed), len(self._providers)

    def _ask_agreeing(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        silent: dict[Provider, RpcUnavailable] = {}
        while True:
            agreement = self._agreement or self._elect(silent)
            answers = self._ask_in_turn(agreement.by, requests, silent)
            if answers is None:
                self._agreement = None
                continue
            if _refuses(answers):
                others = self._ask_in_turn(self._others_with(agreement), requests, silent)
                return answers if others is None or _refuses(others) else others
            return answers

    def _ask_in_turn(
        self,
        providers: Iterable[Provider],
        requests: Sequence[Request],
        silent: dict[Provider, RpcUnavailable],
    ) -> list[Any | RpcError] | None:
        """The answers of the first that refuses nothing, else the first with refusals in them; None
        where nobody answers. Who does not is added to `silent`, and not asked."""
        refused: list[Any | RpcError] | None = None
        for provider in providers:
            if provider in silent:
                continue
            try:
                answers = provider.request_many(requests)
            except RpcUnavailable as error:
                silent[provider] = error
                continue
            if not _refuses(answers):
                return answers
            # It may lack the state, as one node of several behind a URL does.
            refused = refused or answers
        return refused

    def _others_with(self, agreement: Agreement[Provider]) -> Iterator[Provider]:
        """Those in use that the quorum was found without, and that tell its block alike."""
        for provider in self._providers:
            if provider in agreement.by or provider.breaker.state is BreakerState.OPEN:
                continue
            if self._block_at(provider, agreement.block.number) == agreement.block:
                yield provider

    def _hand_to_each(self, requests: Sequence[Request]) -> list[Any | RpcError]:
        """Post to every RPC once; what one that took it says, else what one said at all."""
        refused: list[Any | RpcError] | None = None
        taken: list[Any | RpcError] | None = None
        silent: list[RpcUnavailable] = []
        for provider in self._in_use():
            try:
                answers = provider.request_many(requests)
            except RpcUnavailable as error:
                silent.append(error)
                continue
            if any(isinstance(answer, RpcError) for answer in answers):
                refused = refused or answers
            else:
                taken = taken or answers
        if taken is None and refused is None:
            raise RpcUnavailable("; ".join(str(error) for error in silent))
        return taken or refused or []

    def _in_use(self) -> list[Provider]:
        """Those whose breaker lets requests through; all where it is nobody's."""
        resting = [p for p in self._providers if p.breaker.state is BreakerState.OPEN]
        return [p for p in self._providers if p not in resting] or list(self._providers)

    def _elect(self, silent: Mapping[Provider, RpcUnavailable]) -> Agreement[Provider]:
        """Ask one after the other for its head until enough of them agree on a block.

        Those whose breaker is open come last, so that they are asked only where it cannot be done
        without them. Those that were `silent` just now are not asked.
        """
        heads: dict[Provider, Block] = {}
        troubles: dict[Provider, ChainError] = dict(silent)
        in_turn = sorted(self._providers, key=lambda p: p.breaker.state is BreakerState.OPEN)
        for provider in in_turn:
            if provider in silent:
                continue
            try:
                heads[provider] = self._believable_head(provider)
            except ChainError as error:
                troubles[provider] = error
                continue
            agreed = self._agreed(heads, depth=0)
            if agreed is not None and self._are_abreast(agreed.block, heads):
                self._agreement = agreed
                return agreed
        self._agreement = self._agreed(heads, depth=_REORGANISED)
        if self._agreement is not None:
            return self._agreement
        self._raise_no_agreement(heads, troubles)

    def _agreed(self, heads: Mapping[Provider, Block], depth: int) -> Agreement[Provider] | None:
        terms = self._terms
        found = agree(
            heads,
            quorum=terms.quorum,
            lag=terms.lag_blocks,
            depth=depth,
            block_at=self._block_at,
        )
        return None if found is None or self._age_trouble(found.block) else found

    def _are_abreast(self, block: Block, heads: Mapping[Provider, Block]) -> bool:
        """Whether nobody is so far ahead of a block that he lies, or those who agree on it lag."""
        foremost = max(head.number for head in heads.values())
        return foremost - block.number <= self._terms.lag_blocks

    def _believable_head(self, provider: Provider) -> Block:
        terms = self._terms
        node = Node(provider, terms.chain_id)
        try:
            chain_id, head, first = node.ask_many(
                [chain_id_question(), block_question("latest"), block_question(0)]
            )
        except RpcUnavailable:
            raise
        except ChainError as error:
            raise ChainError(f"{provider.name}: {error}") from error
        if chain_id != terms.chain_id:
            provider.breaker.foreign()
            raise WrongChain(
                f"{provider.name} serves chain {chain_id}, the configuration says "
                f"{terms.chain_id}; correct `chain` or the RPC URL"
            )
        self._require_our_genesis(provider, first)
        ahead = head.timestamp - terms.clock()
        if terms.most_ahead_s is not None and ahead > terms.most_ahead_s:
            raise _FromTheFuture(
                f"{provider.name}: expected no block from the future, found {head.number} of "
                f"{ahead} s ahead",
                head.timestamp,
            )
        trouble = self._age_trouble(head)
        if trouble is not None:
            raise ChainError(f"{provider.name}: {trouble}")
        found: Block = head
        return found

    def _require_our_genesis(self, provider: Provider, first: Block) -> None:
        try:
            require_same_genesis(self._terms.genesis, first.hash)
        except WrongChain as error:
            provider.breaker.foreign()
            raise WrongChain(f"{provider.name}: {error}") from error

    def _age_trouble(self, block: Block) -> str | None:
        limit = self._terms.max_head_age_s
        age = self._terms.clock() - block.timestamp
        if -limit <= age <= limit:
            return None
        return (
            f"its newest block {block.number} is {age} s old by this machine's clock, at most "
            f"{limit} s are accepted (limits.max_head_age_s); the RPC lags behind, the chain "
            "stands, or the clock is wrong"
        )

    def _block_at(self, provider: Provider, height: int) -> Block | None:
        try:
            return Node(provider, self._terms.chain_id).block(height)
        except ChainError:
            return None

    def _raise_no_agreement(
        self, heads: Mapping[Provider, Block], troubles: Mapping[Provider, ChainError]
    ) -> NoReturn:
        ahead = [e for e in troubles.values() if isinstance(e, _FromTheFuture)]
        if len(ahead) >= self._terms.quorum:
            raise ClockDrift(
                f"{ahead[0]}; this machine's clock is behind: set it by NTP, then `lpm resume`",
                ahead[0].head_at,
            )
        if len(self._providers) == 1 and troubles:
            raise next(iter(troubles.values()))
        said = "; ".join(
            str(troubles[p])
            if p in troubles
            else f"{p.name}: is at block {heads[p].number}, {heads[p].hash}"
            for p in self._providers
        )
        message = (
            f"no {self._terms.quorum} of {len(self._providers)} RPCs agree on a block to decide "
            f"at: {said}"
        )
        kinds = {type(error) for error in troubles.values()}
        if RpcUnavailable in kinds:
            raise RpcUnavailable(message)
        if kinds == {WrongChain} and not heads:
            raise WrongChain(message)
        raise ChainError(message)

    def _standing(self, provider: Provider) -> Standing:
        try:
            head = self._believable_head(provider)
        except ChainError as error:
            return Standing(name=provider.name, head=None, trouble=str(error))
        return Standing(name=provider.name, head=head, trouble=None)

    def _patience(self) -> Iterable[stamina.Attempt]:
        return stamina.retry_context(
            on=RpcUnavailable,
            attempts=_ATTEMPTS,
            timeout=self._terms.patience_s,
            wait_initial=_FIRST_PAUSE_S,
            wait_max=_LONGEST_PAUSE_S,
            wait_jitter=_JITTER_S,
        )


def _refuses(answers: Sequence[Any | RpcError]) -> bool:
    """Whether any is a refusal. A revert is a contract's answer."""
    return any(isinstance(answer, RpcError) and not answer.is_revert for answer in answers)


def _is_busy(method: str, error: RpcError) -> bool:
    """Whether the same request may be answered later. Some refuse too many logs by that code."""
    return error.code in _BUSY and not (method == "eth_getLogs" and error.asks_for_less)


def log_what_is_repeated() -> None:
    """Let reads that are tried again be told of in the log's details.

    For the whole process. stamina would warn of each, on a command's only line of error.
    """
    set_on_retry_hooks([_log_repeated])


def _log_repeated(details: RetryDetails) -> None:
    structlog.get_logger().debug(
        "asked again", because=str(details.caused_by), after_s=round(details.wait_for, 3)
    )
