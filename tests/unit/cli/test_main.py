"""How errors leave the program: one line on stderr, and the exit code of their kind."""

from __future__ import annotations

import pytest

from lpmanager.cli import main as program
from lpmanager.errors import (
    BooksDoNotClose,
    ConfigError,
    LpmError,
    PlanRefused,
    StoreError,
    UsageError,
    WrongChain,
)


def exit_of(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    def raise_it(**_options: object) -> None:
        raise error

    monkeypatch.setattr(program, "app", raise_it)
    with pytest.raises(SystemExit) as caught:
        program.main()
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LpmError("x"), 1),
        (StoreError("x"), 1),
        (BooksDoNotClose("x"), 1),
        (UsageError("x"), 2),
        (ConfigError("x"), 3),
        (WrongChain("x"), 4),
        (PlanRefused("x"), 5),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    error: LpmError,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_of(error, monkeypatch) == code
    assert capsys.readouterr() == ("", "lpm: x\n")


def test_every_line_of_an_error_says_who_speaks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(ConfigError("a: missing\nb: missing"), monkeypatch) == 3
    assert capsys.readouterr().err == "lpm: a: missing\nlpm: b: missing\n"


def test_an_interruption_is_one_line_and_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_of(SystemExit(130), monkeypatch) == 130
    assert capsys.readouterr().err == "lpm: interrupted\n"


def test_an_error_that_is_not_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "app", lambda **_options: [][0])
    with pytest.raises(IndexError):
        program.main()
