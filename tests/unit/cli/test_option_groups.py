"""A command takes the fields of a group of options as options of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from lpmanager.cli.option_groups import spread
from lpmanager.cli.strategy_options import StrategyOptions

Count = Annotated[int, typer.Option("--count", "-n", help="How many.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    count: Count = 1
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    colour: str | None = None


def told(*words: str) -> tuple[str, Size, Colour]:
    """What a command with both groups is told by these words."""
    heard: list[tuple[str, Size, Colour]] = []
    app = typer.Typer()

    @app.command()
    @spread
    def paint(what: str, *, size: Size, colour: Colour) -> None:
        heard.append((what, size, colour))

    app(list(words), standalone_mode=False)
    (call,) = heard
    return call


def test_each_group_has_what_was_given_and_defaults_for_the_rest() -> None:
    assert told("it") == ("it", Size(count=1, wide=False), Colour(colour=None))
    assert told("it", "-n", "3", "--colour", "red") == ("it", Size(count=3), Colour(colour="red"))
    assert told("--wide", "it") == ("it", Size(wide=True), Colour())


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(StrategyOptions):
    """Takes over options whose types only the other module knows."""

    value: Annotated[str | None, typer.Option("--worth")] = None


def test_a_group_may_take_over_options_of_another_module() -> None:
    heard: list[Told] = []
    app = typer.Typer()

    @app.command()
    @spread
    def paint(*, told: Told) -> None:
        heard.append(told)

    app(["--policy", "passive", "--worth", "5"], standalone_mode=False)
    assert heard == [Told(policy="passive", value="5")]
