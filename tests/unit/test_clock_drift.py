"""A machine whose clock is behind the chain's halts every campaign that it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import pytest
from builders import a_pool
from loopback_rpc import loopback
from paper_chain import PaperSigner

from lpmanager.config import load
from lpmanager.desk.campaigns import live_campaign, open_campaign
from lpmanager.desk.markets import Market, Markets
from lpmanager.errors import ClockDrift
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings

NOW = 1_800_000_000
OWNER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
NAME = "eth-usdc"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/lpmanager.db")
    yield ledger
    ledger.engine.dispose()


def settings_of(folder: Path, rpc_url: str) -> Settings:
    """The template's settings."""
    text = files("lpmanager").joinpath("templates", "lpmanager.toml").read_text(encoding="utf-8")
    path = folder / "lpmanager.toml"
    path.write_text(text.replace("0x" + "0" * 40, OWNER, 1))
    (folder / ".env").write_text(f"LPM_RPC_URL={rpc_url}\n")
    return load(path)


@contextmanager
def a_base(*, timestamp: int) -> Iterator[str]:
    """The URL of an RPC of Base whose newest block has this time."""

    def told(asked: Any) -> Any:
        if asked["method"] == "eth_chainId":
            return hex(8453)
        first = asked["params"][0] == "0x0"
        return {
            "number": "0x0" if first else "0x64",
            "hash": "0x" + "ab" * 32,
            "timestamp": hex(timestamp),
            "baseFeePerGas": "0x1",
        }

    def answer(posted: Any) -> tuple[int, Any]:
        many = posted if isinstance(posted, list) else [posted]
        answers = [{"jsonrpc": "2.0", "id": a["id"], "result": told(a)} for a in many]
        return 200, answers if isinstance(posted, list) else answers[0]

    with loopback(answer) as server:
        yield server.url


def test_a_campaign_whose_chain_is_ahead_when_it_is_opened_is_halted(
    tmp_path: Path, ledger: Ledger
) -> None:
    with a_base(timestamp=NOW + 6) as url:
        settings = settings_of(tmp_path, url)
        for _ in range(2):
            markets = Markets(settings, lambda: NOW)
            with pytest.raises(ClockDrift, match=r"found 100 of 6 s ahead; .* set it by NTP"):
                live_campaign(settings, NAME, markets, ledger, PaperSigner(), lambda: False)
    reason = Diary(ledger.engine, NAME).halted()
    assert reason is not None
    assert "set it by NTP, then `lpm resume`" in reason


@dataclass
class LateReader:
    """A chain that is found to be ahead when it is read."""

    def read(self, _ours: frozenset[int], _heights: tuple[int, ...]) -> NoReturn:
        raise ClockDrift("this machine's clock is behind", NOW)


def test_a_campaign_whose_chain_is_ahead_when_it_is_read_is_halted(
    tmp_path: Path, ledger: Ledger
) -> None:
    settings, pool = settings_of(tmp_path, "http://127.0.0.1:1"), a_pool()
    market = Market(
        chain=settings.chain_of(NAME),
        node=None,
        pool=pool,
        quote=pool.token0,
        budget=None,
        vault=None,
        reader=LateReader(),
    )
    campaign = open_campaign(settings, NAME, market, ledger, custody=None)
    with pytest.raises(ClockDrift):
        campaign.read()
    assert Diary(ledger.engine, NAME).halted() == "this machine's clock is behind"
