"""One campaign after the other; a failure is told, and the first one's code is the exit code."""

from __future__ import annotations

import pytest
import typer

from lpmanager.cli.campaigns import for_each
from lpmanager.errors import ChainError, ConfigError


def fail_some(name: str) -> str:
    if name == "chain":
        raise ChainError("no answer")
    if name == "config":
        raise ConfigError("campaigns.config.quote: wrong")
    return name.upper()


def test_the_others_go_on_after_a_failure() -> None:
    done = for_each(["a", "chain", "b"], fail_some)
    assert done.done == {"a": "A", "b": "B"}
    assert done.errors == {"chain": "no answer"}


def test_the_exit_code_is_that_of_the_first_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        for_each(["chain", "config"], fail_some).exit_if_failed()
    assert left.value.exit_code == 4
    assert capsys.readouterr() == (
        "",
        "lpm: chain: no answer\nlpm: campaigns.config.quote: wrong\n",
    )


def test_without_a_failure_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for_each(["a"], fail_some).exit_if_failed()
    assert capsys.readouterr() == ("", "")


def test_an_error_that_is_not_ours_is_not_hidden() -> None:
    with pytest.raises(IndexError):
        for_each(["a"], lambda _name: [][0])


def test_after_a_stop_no_campaign_is_begun() -> None:
    begun: list[str] = []
    for_each(["a", "b"], begun.append, stop_asked=lambda: bool(begun))
    assert begun == ["a"]
