"""A live campaign whose transactions go to a private relay, as its configuration says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from faults.fault_proxy import SEND, Fault, FaultProxy, fault_proxy
from faults.troubled_desk import NAME, Run, Stage, a_run, a_stage

from lpmanager.config import load
from lpmanager.desk.signing import campaign_policy
from lpmanager.execution.intent import CLOSED, Status

pytestmark = pytest.mark.fault_row("RPCs that lie, stall, disagree or serve another chain")

_FALLBACK_S = 120
_WITH_FALLBACK = f'\n[transactions]\nrelay_fallback = "{_FALLBACK_S}s"\n'
_CYCLES_TO_RECOVER = 3


@dataclass
class Relayed:
    """A run with one public RPC and a relay."""

    run: Run
    relay: FaultProxy

    @property
    def shown(self) -> list[str]:
        """What signed transactions the public RPC got, each once."""
        return self.run.rpcs[0].hashes_sent()

    def lets_pass(self, seconds: int) -> None:
        controls = self.run.stage.controls
        controls.mine(controls.node.head().timestamp + seconds)

    def ends_well(self) -> None:
        assert any(self.run.cycle() for _ in range(_CYCLES_TO_RECOVER)), self.run.errors
        assert {intent.status for intent in self.run.intents()} <= CLOSED
        assert self.run.wallet_in_books() == self.run.wallet_on_chain()
        assert self.run.positions_in_books() == self.run.positions_on_chain()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with a_stage() as made:
        yield made


@contextmanager
def relayed(stage: Stage, folder: Path, transactions: str = "") -> Iterator[Relayed]:
    """A relay that hands on to the same node; `transactions` is added to the configuration."""
    url = stage.backend.rpc_url
    assert url is not None
    with a_run(stage, folder, 1, 0) as run, fault_proxy(url) as relay:
        path = folder / "lpmanager.toml"
        with path.open("a") as file:
            file.write(transactions)
        with (folder / ".env").open("a") as file:
            file.write(f"LPM_RELAY_URL={relay.url}\n")
        run.settings = load(path)
        wanted = campaign_policy(run.settings, NAME, run.settings.chain_of(NAME)).pace
        pace = replace(run.sending.pace, public_after_s=wanted.public_after_s)
        run.sending = replace(run.sending, pace=pace)
        yield Relayed(run, relay)


@pytest.mark.parametrize("transactions", ["", _WITH_FALLBACK], ids=["never", "fallback"])
def test_what_the_relay_gets_mined_is_shown_to_nobody_else(
    stage: Stage, tmp_path: Path, transactions: str
) -> None:
    with relayed(stage, tmp_path, transactions) as it:
        assert it.run.cycle(), it.run.errors
        assert len(it.run.positions_on_chain()) == 2
        assert it.shown == []
        assert len(it.relay.hashes_sent()) == len(it.run.mined())
        it.ends_well()


@pytest.mark.parametrize("fault", [Fault.FORGOTTEN, Fault.STALL_BEFORE], ids=["forgets", "silent"])
def test_what_the_relay_does_not_get_mined_is_public_after_the_wait(
    stage: Stage, tmp_path: Path, fault: Fault
) -> None:
    with relayed(stage, tmp_path, _WITH_FALLBACK) as it:
        it.relay.inject(fault, SEND)
        assert not it.run.cycle()
        it.lets_pass(_FALLBACK_S // 2)
        assert not it.run.cycle()
        assert (it.shown, it.run.mined()) == ([], [])
        it.lets_pass(_FALLBACK_S // 2)
        it.run.cycle()
        (shown,) = it.shown
        assert shown == it.run.mined()[0].tx_hash
        it.relay.heal()
        it.ends_well()


def test_without_a_fallback_a_call_waits_for_the_relay_and_its_cancellation_does_not(
    stage: Stage, tmp_path: Path
) -> None:
    """By its deadline a call that nobody mines is cancelled."""
    with relayed(stage, tmp_path) as it:
        it.relay.inject(Fault.FORGOTTEN, SEND)
        assert not it.run.cycle()
        (intent,) = it.run.intents()
        it.lets_pass(intent.purpose.deadline - stage.now())
        assert not it.run.cycle()
        assert it.shown == []
        it.lets_pass(1)
        it.run.cycle()
        (cancelled, *_) = it.run.intents()
        assert cancelled.status in (Status.CANCELLED, Status.BOOKED)
        assert it.shown == [a.tx_hash for a in cancelled.attempts if a.cancels]
        it.relay.heal()
        it.ends_well()
