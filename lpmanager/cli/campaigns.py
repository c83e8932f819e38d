"""What the verbs share that work on campaigns: which ones, one after the other, and who signs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Generic, Literal, TypeVar

import typer

from lpmanager.errors import LpmError, UsageError

if TYPE_CHECKING:
    from lpmanager.cycle import Campaign
    from lpmanager.settings import Settings

T = TypeVar("T")

#: Exit code of a command that was stopped before it was done, as shells count a Ctrl-C.
INTERRUPTED = 130

CampaignNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CAMPAIGN]...", help="Which campaigns; all where none is named."),
]
Live = Annotated[bool, typer.Option("--live", help="Sign and send. Without it: a dry run.")]
Wait = Annotated[
    float,
    typer.Option(
        "--wait", metavar="SECONDS", min=0.0, help="How long to wait while another lpm signs."
    ),
]

Opener = Callable[[str], "Campaign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round(Generic[T]):
    """What became of each campaign, by name."""

    done: Mapping[str, T]
    failed: Mapping[str, LpmError]

    @property
    def errors(self) -> dict[str, str]:
        """What to tell of each failure."""
        return {name: str(error) for name, error in self.failed.items()}

    def exit_if_failed(self) -> None:
        """Tell each failure in a line on stderr and leave with the first one's exit code."""
        for name, error in self.failed.items():
            complain(name, error)
        if self.failed:
            raise typer.Exit(next(iter(self.failed.values())).exit_code)


def chosen(settings: Settings, names: Sequence[str] | None) -> list[str]:
    """The campaigns named, or all. Raises UsageError for one that is not configured."""
    for name in names or ():
        if name not in settings.campaigns:
            raise UsageError(
                f"there is no campaign {name!r}; the configuration has "
                f"{', '.join(settings.campaigns)}"
            )
    return list(dict.fromkeys(names)) if names else list(settings.campaigns)


def for_each(
    names: Sequence[str], do: Callable[[str], T], stop_asked: Callable[[], bool] = lambda: False
) -> Round[T]:
    """Do it for one campaign after the other, until asked to stop; what fails for one does not
    stop the others."""
    done: dict[str, T] = {}
    failed: dict[str, LpmError] = {}
    for name in names:
        if stop_asked():
            break
        try:
            done[name] = do(name)
        except LpmError as error:
            failed[name] = error
    return Round(done=done, failed=failed)


def complain(name: str, error: LpmError) -> None:
    """An error in a line on stderr, with the campaign's name unless the error says it."""
    text = str(error)
    sys.stderr.write(f"lpm: {text if name in text else f'{name}: {text}'}\n")


def wall_clock() -> int:
    """Unix seconds by this machine."""
    return int(time.time())


def dry(settings: Settings) -> Opener:
    """Opens campaigns that cannot sign, each time with a new copy of their books."""
    from lpmanager.desk.campaigns import dry_campaign
    from lpmanager.desk.markets import Markets

    markets = Markets(settings, wall_clock)
    return lambda name: dry_campaign(settings, name, markets)


@contextmanager
def signing(
    settings: Settings, names: Sequence[str], stop_asked: Callable[[], bool], wait_s: float
) -> Iterator[Opener]:
    """Opens campaigns that can sign, under the locks of their account on every chain they use. One
    that could be opened stays so.

    Raises UsageError where another program still holds one after `wait_s`.
    """
    from lpmanager.account_lock import only_one
    from lpmanager.cli.output import note
    from lpmanager.desk.campaigns import live_campaign
    from lpmanager.desk.markets import Markets
    from lpmanager.desk.signing import LockedSigner, load_signer, lock_paths
    from lpmanager.ledger.store import Ledger

    chains = {name: settings.chain_of(name) for name in names}
    who = settings.account_signatory()
    paths = {
        path for chain in chains.values() for path in lock_paths(settings, chain, who.table.address)
    }
    with ExitStack() as held:
        try:
            require_held = held.enter_context(only_one(paths, wait_s, stop_asked, note))
        except UsageError:
            if stop_asked():
                raise typer.Exit(INTERRUPTED) from None
            raise
        ask = cache(asking(who.key))
        signers = {
            name: LockedSigner(load_signer(who, chain, ask), require_held)
            for name, chain in {chain.name: chain for chain in chains.values()}.items()
        }
        ledger = Ledger.open(settings.store)
        held.callback(ledger.engine.dispose)
        markets = Markets(settings, wall_clock)

        @cache
        def opened(name: str) -> Campaign:
            signer = signers[chains[name].name]
            return live_campaign(settings, name, markets, ledger, signer, stop_asked)

        yield opened


def asking(key: Literal["account", "owner"]) -> Callable[[], str]:
    """Asks for the password of the keystore that a table of the configuration names."""

    def ask() -> str:
        from lpmanager.cli.secret_input import ask_secret

        return ask_secret(
            "password of the keystore" if key == "account" else "password of the owner's keystore",
            instead=f"set {key}.password_file or {key}.password_credential",
        )

    return ask
