"""The page of the risk desk: every picture true to its measure, and told in words where there is
none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from builders import (
    NO_OUTLOOK,
    USDC,
    WETH,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_record,
    a_token,
    a_view,
    an_outlook,
)
from live_desk import typed
from order_flow_builders import a_flow, a_swap
from page_elements import elements_of, undefined_colours

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.risk_page import risk_page
from lpmanager.cli.risk_page.document import pictures_of
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_words import measured
from lpmanager.model import Gate, Hold, SwapEvent, Token
from lpmanager.page.picture import Picture
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment import assessment
from lpmanager.rebalancer.assessment.portfolio import Whole, whole
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.standing import limits_as_they_stand
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import markouts
from lpmanager.risk.tomorrow import distribution_tomorrow, tail_tomorrow

PLACES = ("exposure", "crash", "day", "volatility", "pay", "markout")
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
HELD = a_position("[-600, 600)", token_id=7, liquidity=10**13)
GATE = Gate(name="crash", passed=False, measured="12.0%", limit="5.0%", reason="falls by 20%")


def swaps_of(senders: int) -> list[SwapEvent]:
    """Two swaps of each sender, after which the price went on, by another way for each."""
    return [
        a_swap(1 + at, tick=at % 7 - 3, sender=f"0x{at % senders:040x}", bought=(-1) ** at * 10**9)
        for at in range(2 * senders)
    ]


def a_held_view(swaps: Sequence[SwapEvent] = (), quote: Token = USDC) -> View:
    """A position around the price with tokens beside it, in the midst of this flow."""
    market = a_market(positions=(HELD,), pool=a_pool(USDC, WETH), quote=quote)
    view = a_view(market, a_record((10**12, 3 * 10**12)), an_outlook())
    flow = a_flow(swaps, last_block=view.snapshot.block.number) if swaps else None
    return replace(view, snapshot=replace(view.snapshot, flow=flow))


def assessed(view: View, name: str = "main", reason: str = "all is well") -> Assessed:
    snapshot = view.snapshot
    hold = Hold(campaign=name, block=snapshot.block, gates=(GATE,), reason=reason)
    limits = a_limits()
    return Assessed(
        name=name,
        view=view,
        limits=limits,
        measures=assessment(view, limits),
        decision=hold,
        standing=limits_as_they_stand(view, limits),
    )


def shown(one: Assessed) -> dict[str, Picture | Untold]:
    return dict(zip(PLACES, pictures_of(one, "c"), strict=True))


def drawn(one: Assessed, place: str) -> Picture:
    found = shown(one)[place]
    assert isinstance(found, Picture), found
    return found


def bars(picture: Picture) -> dict[str, float]:
    """Lying bars by their names."""
    names = picture.layout["yaxis"]["ticktext"]
    (trace,) = picture.traces
    return dict(zip(names, trace["x"], strict=True))


def value_of(one: Assessed, name: str) -> Any:
    (found,) = [m.value for m in one.measures if m.name == name]
    return found


def test_the_page_has_each_campaign_with_its_pictures_in_it_and_loads_nothing() -> None:
    view = a_held_view(swaps_of(12))
    both = (assessed(view, "main"), assessed(view, "second"))
    page = elements_of(risk_page(both, {"third": "node: no answer"}))
    places = [told["id"] for tag, told in page.elements if tag == "div" and "id" in told]
    assert places == [f"campaign{at}-{place}" for at in (0, 1) for place in PLACES]
    assert [p["key"] for p in json.loads(page.scripts[0])] == places
    loads = [told.get(name) for _, told in page.elements for name in ("src", "href")]
    assert [address for address in loads if address is not None] == ["data:,"]
    assert "main holds; second holds; third could not be assessed." in page.text
    assert "Could not be assessed: node: no answer" in page.text


def test_more_than_one_campaign_is_also_shown_as_one_portfolio() -> None:
    view = a_held_view()
    both = (assessed(view, "main"), assessed(view, "second"))
    together = whole({one.name: one.view for one in both}, issuers={})
    assert isinstance(together, Whole)
    page = elements_of(risk_page(both, {}, (), together))
    first, *_ = json.loads(page.scripts[0])
    assert first["key"] == "together"
    found = dict(zip(first["layout"]["yaxis"]["ticktext"], first["traces"][0]["x"], strict=True))
    weight = float(view.inventory.weight or 0)
    assert found == pytest.approx({"WETH": 100 * weight, "USDC": 100 * (1 - weight)})
    assert "All campaigns: What do they hang on?" in page.text
    alone = elements_of(risk_page(both[:1], {}, (), together))
    assert "What do they hang on?" not in alone.text


def test_where_one_campaign_is_unread_the_portfolio_is_told_as_unknown() -> None:
    page = elements_of(
        risk_page(
            (assessed(a_held_view()),), {"other": "no answer"}, (), Missing("other is unread")
        )
    )
    assert "Not known: other is unread" in page.text


def test_plotly_knows_every_trace_and_every_colour_is_defined() -> None:
    from plotly.graph_objects import Figure

    pictures = [drawn(assessed(a_held_view(swaps_of(12))), place) for place in PLACES]
    for one in pictures:
        assert Figure(data=one.traces, layout=one.layout).data
    assert undefined_colours(pictures) == set()


def test_every_measure_and_every_gate_is_in_a_table_with_its_number() -> None:
    one = assessed(a_held_view(swaps_of(12)))
    text = elements_of(risk_page((one,), {})).text
    for found in one.measures:
        assert found.name in text
        assert measured(found, one.view.snapshot) in text
    for words in (GATE.name, "CLOSED", GATE.measured, GATE.limit, GATE.reason):
        assert words in text


def test_millions_are_told_without_an_exponent() -> None:
    one = assessed(a_held_view())
    (value,) = [m for m in one.measures if m.name == "value"]
    assert measured(value, one.view.snapshot) == "4,591,060.22 USDC"


def test_what_is_not_known_is_told_in_words_and_never_drawn() -> None:
    view = replace(a_held_view(), outlook=NO_OUTLOOK)
    one = assessed(view)
    untold = {place: found for place, found in shown(one).items() if isinstance(found, Untold)}
    assert set(untold) == {"day", "volatility", "pay", "markout"}
    page = elements_of(risk_page((one,), {}))
    assert [p["key"] for p in json.loads(page.scripts[0])] == [
        "campaign0-exposure",
        "campaign0-crash",
    ]
    for found in untold.values():
        assert found.title in page.text
        assert f"Not known: {found.reason}" in page.text


def test_an_empty_campaign_has_nothing_at_stake_and_says_so() -> None:
    market = replace(a_held_view().snapshot, positions=())
    view = a_view(market, a_record((0, 0)), an_outlook())
    for place in ("exposure", "crash", "day"):
        found = shown(assessed(view))[place]
        assert isinstance(found, Untold)
        assert found.reason == "the campaign holds nothing"


def test_the_exposure_adds_up_to_the_value() -> None:
    for quote in (USDC, WETH):
        one = assessed(a_held_view(quote=quote))
        traces = drawn(one, "exposure").traces
        whole = sum(sum(trace["x"]) for trace in traces)
        assert whole == pytest.approx(value_of(one, "value"))
        base = sum(trace["x"][0] for trace in traces)
        assert base / whole == pytest.approx(value_of(one, "weight of base"))


def test_the_ladder_is_that_of_the_measures() -> None:
    one = assessed(a_held_view())
    (bars_of_falls,) = drawn(one, "crash").traces
    measured_falls = [value_of(one, f"price {move}") for move in ("-5%", "-10%", "-20%", "-40%")]
    assert bars_of_falls["y"] == pytest.approx([100 * fall for fall in measured_falls])


def test_the_days_are_all_there_and_the_tail_stands_where_the_measures_say() -> None:
    one = assessed(a_held_view())
    usual, worst, at_risk, beyond = drawn(one, "day").traces
    assert sum(usual["y"]) + sum(worst["y"]) == pytest.approx(100)
    assert at_risk["x"] == [-value_of(one, "value at risk")] * 2
    assert beyond["x"] == [-value_of(one, "CVaR")] * 2
    assert max(worst["x"]) <= at_risk["x"][0] < min(usual["x"])
    border = max(usual["y"][0], worst["y"][-1])
    assert sum(worst["y"]) == pytest.approx(2.5, abs=border)


def test_the_distribution_has_the_tail_that_gates_ask_of() -> None:
    view = a_held_view()
    stake = stake_now(view, an_outlook())
    found = distribution_tomorrow(stake, 2e-9)
    assert found.tail == tail_tomorrow(stake, 2e-9)


def test_the_volatility_that_fees_imply_stands_above_those_of_the_price() -> None:
    one = assessed(a_held_view(swaps_of(6)))
    picture = drawn(one, "volatility")
    found = bars(picture)
    assert next(iter(found)) == "implied volatility"
    assert found["volatility"] == pytest.approx(100 * value_of(one, "volatility"))
    assert "realised volatility" not in found, "six swaps in two minutes tell none"
    reason = value_of(one, "realised volatility").reason
    assert f"realised volatility ({reason})" in picture.caption


def test_pay_is_what_the_measures_say_as_rates_a_year() -> None:
    one = assessed(a_held_view(swaps_of(6)))
    picture = drawn(one, "pay")
    assert bars(picture) == pytest.approx(
        {name: 100 * value_of(one, name) for name in ("fees", "LVR")}
    )
    assert f"{value_of(one, 'fees over LVR'):.2f} times" in picture.title


def test_out_of_range_the_bars_of_pay_are_nothing_and_the_caption_says_why() -> None:
    far = a_position("[6000, 7200)", liquidity=HELD.liquidity)
    away = a_view(a_market(positions=(far,)), a_record((10**12, 3 * 10**12)), an_outlook())
    picture = drawn(assessed(away), "pay")
    assert set(bars(picture).values()) == {0}
    assert "Nothing is in range now" in picture.caption


@pytest.mark.parametrize("quote", [USDC, WETH])
def test_markouts_of_ten_senders_and_of_the_others_are_those_of_all(quote: Token) -> None:
    one = assessed(a_held_view(swaps_of(12), quote))
    snapshot, found = one.view.snapshot, bars(drawn(one, "markout"))
    assert len(found) == 11
    assert "2 others" in found
    assert "0x0000\N{HORIZONTAL ELLIPSIS}0001" in found
    known = markouts(snapshot)
    raw1 = sum(each.gain for each in known)
    # at a price of 1 raw for 1 raw
    assert sum(found.values()) == pytest.approx(raw1 / 10**quote.decimals)
    ten = list(found.values())[:10]
    assert ten == sorted(ten)


def test_swaps_without_a_sender_are_told_together() -> None:
    nameless = [swap._replace(sender="") for swap in swaps_of(12)]
    found = shown(assessed(a_held_view(nameless)))["markout"]
    assert isinstance(found, Untold)
    assert found.reason.startswith("the record does not tell who swapped. Of all swaps together")


def test_whatever_comes_from_elsewhere_is_shown_and_not_run() -> None:
    evil = a_token(EVIL, 18, 2)
    view = a_held_view(swaps_of(12))
    swaps = [swap._replace(sender=EVIL) for swap in swaps_of(12)]
    flow = a_flow(swaps, last_block=view.snapshot.block.number)
    snapshot = replace(view.snapshot, flow=flow, pool=a_pool(USDC, evil))
    record = a_record((10**9, 10**9), pool=snapshot.pool)
    one = assessed(a_view(snapshot, record, an_outlook()), EVIL, EVIL)
    found = elements_of(risk_page((one,), {EVIL: EVIL}, (EVIL,)))
    assert [tag for tag, _ in found.elements].count("script") == 3
    assert not [tag for tag, told in found.elements if tag == "img" or "onerror" in told]
    assert found.text.count(EVIL) >= 5
    assert "<img" not in json.dumps(json.loads(found.scripts[0])), "plotly.js reads tags in labels"


def test_a_page_that_could_not_be_written_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    """There is no configuration either."""
    done = typed(tmp_path, "risk", "--html", "absent/risk.html")
    assert done.returncode != 0
    assert "absent/risk.html: the page cannot be written" in done.stderr


def test_without_the_extra_a_page_says_how_to_get_it(tmp_path: Path) -> None:
    with mock.patch("lpmanager.page.writing.find_spec", return_value=None):
        done = typed(tmp_path, "risk", "--html", "risk.html")
    assert done.returncode != 0
    assert "pip install 'lpmanager[backtest]'" in done.stderr


def test_a_page_and_scenarios_are_not_asked_for_together(tmp_path: Path) -> None:
    (tmp_path / "stress.toml").write_text("")
    done = typed(tmp_path, "risk", "--html", "risk.html", "--stress", "stress.toml")
    assert done.returncode == 2
    assert "--html: shows no scenarios of --stress" in done.stderr
