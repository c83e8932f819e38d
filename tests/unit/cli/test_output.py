"""Data goes to stdout, everything else to stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import structlog

from lpmanager.cli.output import configure_logging, note, print_json, print_table


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_json_is_one_document_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"amount": "0.1"})
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"amount": "0.1"}, "")


def test_a_value_that_is_not_json_is_refused_rather_than_guessed() -> None:
    with pytest.raises(TypeError):
        print_json({"amount": object()})


def test_a_table_goes_to_stdout_whole_and_without_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    address = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
    print_table("campaigns", ("name", "pool"), [("[bold]eth[/bold]", address)])
    out = capsys.readouterr().out
    assert address in out
    assert "[bold]eth[/bold]" in out
    assert re.search(r"\x1b\[[34][0-7]m", out) is None


def test_notes_and_logs_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    note("reading")
    configure_logging(verbose=False)
    structlog.get_logger().info("cycle", campaign="eth-usdc")
    structlog.get_logger().debug("detail")
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first == "reading"
    assert json.loads(second)["campaign"] == "eth-usdc"
