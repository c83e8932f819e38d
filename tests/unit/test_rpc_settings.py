"""Which RPCs and relay a chain has, and what it takes to believe them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from loopback_rpc import Answer, loopback

from lpmanager.chain.presets import Chain, presets
from lpmanager.config import load, relay_url, rpc_url, rpc_urls
from lpmanager.desk.nodes import open_node, open_providers
from lpmanager.desk.owner import ORDERS_WITHIN_S, owners_policy
from lpmanager.desk.signing import campaign_policy
from lpmanager.errors import ChainError, ConfigError
from lpmanager.execution.executor import REVOKE_WITHIN_S
from lpmanager.settings import Settings

BASE = presets()["base"]
POLYGON = presets()["polygon"]
NOW = 1_700_000_000
KEY = "key-123"
FILE = """
chain = "base"
store = "sqlite:///books.db"
{top}
[account]
address = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
{tables}
[campaigns.main]
pool = "0xd0b53D9277642d899DF5C87A3966A349A798F224"
quote = "USDC"
policy = "passive"
[campaigns.main.limits]
max_swap_cost_per_day = "5"
{limits}
"""


@pytest.fixture(autouse=True)
def _no_variables_of_ours() -> Iterator[None]:
    others = {name: text for name, text in os.environ.items() if not name.startswith("LPM_")}
    with mock.patch.dict(os.environ, others, clear=True):
        yield


def settings(folder: Path, *, tables: str = "", limits: str = "", **variables: str) -> Settings:
    path = folder / "lpmanager.toml"
    path.write_text(FILE.format(top="", tables=tables, limits=limits))
    lines = (f"{name}={text}\n" for name, text in variables.items())
    (folder / ".env").write_text("".join(lines))
    return load(path)


@pytest.mark.parametrize(
    "text", ["http://a http://b", "http://a,http://b", " http://a ,  http://b"]
)
def test_several_urls_stand_in_order_in_one_variable(tmp_path: Path, text: str) -> None:
    read = settings(tmp_path, LPM_RPC_URL=text)
    assert rpc_urls(read, BASE) == ("http://a", "http://b")
    assert rpc_url(read, BASE) == "http://a"


def test_each_chain_has_its_own_urls(tmp_path: Path) -> None:
    read = settings(tmp_path, LPM_RPC_URL="http://a", LPM_RPC_URL_POLYGON="http://p http://q")
    assert rpc_urls(read, BASE) == ("http://a",)
    assert rpc_urls(read, POLYGON) == ("http://p", "http://q")


def test_a_relay_is_only_where_one_is_given(tmp_path: Path) -> None:
    assert relay_url(settings(tmp_path, LPM_RPC_URL="http://a"), BASE) is None
    read = settings(tmp_path, LPM_RELAY_URL_POLYGON="https://p", LPM_RELAY_URL="https://r ")
    assert (relay_url(read, BASE), relay_url(read, POLYGON)) == ("https://r", "https://p")


@pytest.mark.parametrize(
    ("variables", "mistake"),
    [
        ({"LPM_RPC_URL": f"http://{KEY} http://{KEY}"}, "LPM_RPC_URL: names one RPC twice"),
        (
            {"LPM_RPC_URL_POLYGON": f"http://a wss://{KEY}"},
            "LPM_RPC_URL_POLYGON: the URL in place 2 is none that begins with http:// or https://",
        ),
        ({"LPM_RPC_URL": f"http:///{KEY}"}, "LPM_RPC_URL: the URL in place 1 is none"),
        ({"LPM_RPC_URL": f"http://a:{KEY}"}, "LPM_RPC_URL: the URL in place 1 is none"),
        ({"LPM_RPC_URL": f"http://€{KEY}:x@a"}, "LPM_RPC_URL: the URL in place 1 is none"),
        ({"LPM_RPC_URL": f"http://x:%E2%82%AC{KEY}@a"}, "LPM_RPC_URL: the URL in place 1 is none"),
        ({"LPM_RELAY_URL": f"http://x:%E2%82%AC{KEY}@a"}, "LPM_RELAY_URL: the URL in place 1 is"),
        ({"LPM_RELAY_URL": KEY}, "LPM_RELAY_URL: the URL in place 1 is none"),
        ({"LPM_RELAY_URL": f"http://a http://{KEY}"}, "LPM_RELAY_URL: expected one relay, found 2"),
        ({"LPM_RELAY_UR": "http://a"}, "LPM_RELAY_UR: no such variable; did you mean"),
    ],
)
def test_what_is_no_url_is_a_mistake_that_does_not_show_it(
    tmp_path: Path, variables: dict[str, str], mistake: str
) -> None:
    with pytest.raises(ConfigError, match=mistake) as caught:
        settings(tmp_path, **variables)
    assert KEY not in str(caught.value)


def test_a_quorum_larger_than_the_rpcs_are_many_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="quorum: is 3, but LPM_RPC_URL gives 2 RPC URLs for base"
    ):
        settings(tmp_path, tables="[rpc]\nquorum = 3", LPM_RPC_URL="http://a http://b")


def test_urls_are_secrets_wherever_settings_are_shown(tmp_path: Path) -> None:
    read = settings(tmp_path, LPM_RPC_URL=f"http://a/{KEY}", LPM_RELAY_URL=f"http://r/{KEY}")
    assert KEY not in repr(read) + read.model_dump_json()


def test_a_url_in_the_file_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lpmanager.toml"
    text = f'[relay_urls]\nbase = "http://{KEY}"\n'
    path.write_text(FILE.format(top="", tables="", limits="") + text)
    with pytest.raises(ConfigError, match=r"relay_urls: secrets belong in \.env") as caught:
        load(path)
    assert KEY not in str(caught.value)


def test_a_private_transaction_stays_private_unless_a_time_is_given(tmp_path: Path) -> None:
    assert campaign_policy(settings(tmp_path), "main", BASE).pace.public_after_s is None
    for text, seconds in (('"2m"', 120), ("30", 30), ('"never"', None)):
        read = settings(tmp_path, tables=f"[transactions]\nrelay_fallback = {text}")
        assert campaign_policy(read, "main", BASE).pace.public_after_s == seconds
    with pytest.raises(ConfigError, match=r"transactions\.relay_fallback"):
        settings(tmp_path, tables="[transactions]\nrelay_fallback = 0")


@pytest.mark.parametrize("chain", presets().values(), ids=presets())
@pytest.mark.parametrize("depth", ["", "confirmations = 300", 'confirmations = "finalized"'])
@pytest.mark.parametrize(("ttl", "seconds"), [("1s", 1), ("5m", 300), ("2h", 7_200)])
def test_a_call_is_waited_for_until_its_cancellation_is_mined_and_final(
    tmp_path: Path, chain: Chain, depth: str, ttl: str, seconds: int
) -> None:
    """Or nobody would be there to cancel it at its deadline."""
    read = settings(tmp_path, tables=f"[transactions]\n{depth}", limits=f'plan_ttl_s = "{ttl}"')
    final_s = {
        "": chain.confirmations * chain.block_time_s,
        "confirmations = 300": 300 * chain.block_time_s,
        'confirmations = "finalized"': 20 * 60,  # as on rollups, which follow Ethereum's
    }[depth]
    waits_s = campaign_policy(read, "main", chain).timeout_s
    assert waits_s >= max(seconds, REVOKE_WITHIN_S) + 15 + final_s


def test_an_owners_order_is_waited_for_until_its_cancellation_is_mined_and_final(
    tmp_path: Path,
) -> None:
    waits_s = owners_policy(settings(tmp_path), BASE).timeout_s
    assert waits_s >= ORDERS_WITHIN_S + 15 + BASE.confirmations * BASE.block_time_s


def test_the_most_patient_campaign_says_how_old_a_head_may_be(tmp_path: Path) -> None:
    assert settings(tmp_path).max_head_age_s(BASE) == 10
    assert settings(tmp_path, limits='max_head_age_s = "5m"').max_head_age_s(BASE) == 300
    assert settings(tmp_path, limits='max_head_age_s = "5m"').max_head_age_s(POLYGON) == 10


def a_chain(height: int, *, chain_id: int = BASE.chain_id, fork: str = "0") -> Answer:
    """An RPC whose blocks are all of now."""

    def answer(posted: Any) -> tuple[int, Any]:
        many = posted if isinstance(posted, list) else [posted]
        answers = [{"jsonrpc": "2.0", "id": one["id"], "result": result(one)} for one in many]
        return 200, answers if isinstance(posted, list) else answers[0]

    def result(one: Any) -> Any:
        if one["method"] != "eth_getBlockByNumber":
            return hex(chain_id)
        asked = one["params"][0]
        number = height if asked == "latest" else int(asked, 16)
        return {"number": hex(number), "hash": "0x" + fork * 64, "timestamp": hex(NOW)}

    return answer


def test_three_rpcs_are_a_quorum_of_two(tmp_path: Path) -> None:
    with (
        loopback(a_chain(100, fork="f")) as liar,
        loopback(a_chain(100)) as one,
        loopback(a_chain(100)) as other,
    ):
        read = settings(tmp_path, LPM_RPC_URL=f"{liar.url} {one.url} {other.url}")
        assert open_node(read, BASE, lambda: NOW).head().hash == "0x" + "0" * 64


def test_two_rpcs_must_both_agree_unless_a_quorum_of_one_is_enough(tmp_path: Path) -> None:
    with loopback(a_chain(100, fork="f")) as one, loopback(a_chain(100)) as other:
        urls = f"{one.url} {other.url}"
        read = settings(tmp_path, LPM_RPC_URL=urls)
        with pytest.raises(ChainError, match="no 2 of 2 RPCs agree"):
            open_node(read, BASE, lambda: NOW).head()
        read = settings(tmp_path, tables="[rpc]\nquorum = 1", LPM_RPC_URL=urls)
        assert open_node(read, BASE, lambda: NOW).head().hash == "0x" + "f" * 64


def test_a_head_that_is_old_by_the_clock_given_is_refused(tmp_path: Path) -> None:
    with loopback(a_chain(100)) as rpc:
        read = settings(tmp_path, LPM_RPC_URL=rpc.url)
        assert open_node(read, BASE, lambda: NOW + 10).head().number == 100
        with pytest.raises(ChainError, match="11 s old"):
            open_node(read, BASE, lambda: NOW + 11).head()


@pytest.mark.parametrize("name", ["ethereum", "base", "optimism", "polygon", "sepolia"])
def test_a_head_ten_blocks_old_is_refused(tmp_path: Path, name: str) -> None:
    chain = presets()[name]
    ten_blocks_on = NOW + int(10 * chain.block_time_s)
    with loopback(a_chain(100, chain_id=chain.chain_id)) as rpc:
        read = settings(tmp_path, **{f"LPM_RPC_URL_{name.upper()}": rpc.url})
        with pytest.raises(ChainError, match=f"{ten_blocks_on - NOW} s old"):
            open_node(read, chain, lambda: ten_blocks_on).head()


@pytest.mark.parametrize(("behind", "accepted"), [(2, True), (3, False)])
def test_on_a_slow_chain_two_blocks_apart_is_abreast(
    tmp_path: Path, behind: int, accepted: bool
) -> None:
    assert abreast(tmp_path, "base", behind) is accepted


@pytest.mark.parametrize(("behind", "accepted"), [(12, True), (13, False)])
def test_on_a_fast_chain_three_seconds_apart_is_abreast(
    tmp_path: Path, behind: int, accepted: bool
) -> None:
    assert abreast(tmp_path, "arbitrum", behind) is accepted


def abreast(folder: Path, name: str, behind: int) -> bool:
    """Whether one so many blocks behind is believed with another, where a third is on a fork."""
    chain = presets()[name]
    lower, upper = (a_chain(height, chain_id=chain.chain_id) for height in (100 - behind, 100))
    forked = a_chain(100, chain_id=chain.chain_id, fork="f")
    with loopback(forked) as liar, loopback(upper) as one, loopback(lower) as other:
        variable = f"LPM_RPC_URL_{name.upper()}"
        read = settings(folder, **{variable: f"{liar.url} {one.url} {other.url}"})
        try:
            head = open_node(read, chain, lambda: NOW).head()
        except ChainError:
            return False
        return head.number == 100 - behind


def test_two_urls_of_one_host_are_told_apart_without_their_keys(tmp_path: Path) -> None:
    with loopback(a_chain(100)) as rpc:
        read = settings(tmp_path, LPM_RPC_URL=f"{rpc.url}/{KEY} {rpc.url}/other")
        names = [s.name for s in open_providers(read, BASE, lambda: NOW).standings()]
    assert names == [f"{rpc.url} (URL 1)", f"{rpc.url} (URL 2)"]
    troubles = [str(s.trouble) for s in open_providers(read, BASE, lambda: NOW).standings()]
    assert [f"{rpc.url} (URL {n}): no answer" in t for n, t in enumerate(troubles, 1)] == [True] * 2


def test_what_is_private_goes_to_the_relay_of_the_chain(tmp_path: Path) -> None:
    with loopback(a_chain(100)) as rpc, loopback(a_chain(100)) as relay:
        read = settings(tmp_path, LPM_RPC_URL=rpc.url, LPM_RELAY_URL=relay.url)
        open_node(read, BASE, lambda: NOW).send_raw(b"\x02")
        assert (len(rpc.posts), len(relay.posts)) == (0, 1)
        open_node(read, BASE, lambda: NOW).send_raw(b"\x02", public=True)
        assert (len(rpc.posts), len(relay.posts)) == (1, 2)
