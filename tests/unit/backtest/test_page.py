"""The page of a backtest: whole in itself, true to the run, and safe to open."""

from __future__ import annotations

import errno
import json
import math
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backtest_runs import (
    DAY,
    HOUR,
    START,
    TICK_1500,
    a_curve,
    a_drift,
    a_held,
    a_move,
    a_result,
    a_run,
)
from builders import USDC, WETH, a_pool, a_token
from page_elements import elements_of, undefined_colours

from lpmanager.backtest.report.coverage import coverage_of
from lpmanager.backtest.report.findings import Findings, findings_of
from lpmanager.backtest.report.page import page_of
from lpmanager.backtest.report.page.document import pictures_of
from lpmanager.backtest.report.run import Run
from lpmanager.backtest.report.sampling import prices_of, thinned, ticks_of
from lpmanager.errors import LpmError
from lpmanager.page import require_writable, write_page
from lpmanager.page.document import script_json
from lpmanager.page.picture import Picture

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def an_eventful_run(**changes: object) -> Run:
    """Three days: a range left, another placed, fees that do not pay for the impermanent loss."""
    hours = np.arange(73)
    price = 1_500 + 120 * np.sin(hours / 11)
    curve = a_curve(
        1_000 + price / 50 - hours / 20,
        step_s=HOUR,
        price=price,
        hodl=500 + price / 3,
        untouched=[math.nan, *(1_000 + hours[1:] / 100)],
        weight=0.5 + 0.4 * np.cos(hours / 11),
        fees=hours / 10,
        lvr=hours / 8,
    )
    told = {
        "held": (
            a_held("[202600, 203800)", closed=START + DAY),
            a_held("[201800, 203000)", opened=START + DAY),
        ),
        "moves": (a_move("[202600, 203800)"), a_move("[201800, 203000)", day=1)),
        "result": a_result(hodl="20", impermanent_loss="-30", fees="7.2", swap_cost="1", gas="0.5"),
        "drift": a_drift(),
    }
    return a_run(curve, **{**told, **changes})


def picture(run: Run, key: str) -> Picture:
    (found,) = [one for one in pictures_of(findings_of(run)) if one.key == key]
    return found


def trace(run: Run, key: str, name: str) -> dict[str, Any]:
    traces = {one["name"]: one for one in picture(run, key).traces}
    return traces[name] if name in traces else traces[next(n for n in traces if name in n)]


def test_the_page_has_six_pictures_in_it_and_loads_nothing() -> None:
    page = elements_of(page_of(findings_of(an_eventful_run())))
    places = [told["id"] for tag, told in page.elements if tag == "div" and "id" in told]
    assert places == ["price", "value", "result", "mix", "liquidity", "lvr"]
    assert [p["key"] for p in json.loads(page.scripts[0])] == places
    loads = [told.get(name) for _, told in page.elements for name in ("src", "href")]
    assert [address for address in loads if address is not None] == ["data:,"]
    (policy,) = [told["content"] for _, told in page.elements if "http-equiv" in told]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'unsafe-inline';")
    assert "plotly.js v" in page.scripts[1]


def test_plotly_knows_every_trace_and_every_setting() -> None:
    from plotly.graph_objects import Figure

    for one in pictures_of(findings_of(an_eventful_run())):
        assert Figure(data=one.traces, layout=one.layout).data


def test_whatever_comes_from_a_file_is_shown_and_not_run() -> None:
    token = a_token(EVIL, 18, 2)
    run = an_eventful_run(
        market=EVIL,
        policy=EVIL,
        pool=a_pool(USDC, token),
        holds={EVIL: 3},
        notes=(EVIL,),
        moves=(a_move("[202600, 203800)", reason=EVIL),),
    )
    page = page_of(findings_of(run))
    found = elements_of(page)
    assert [tag for tag, _ in found.elements].count("script") == 3
    assert not [tag for tag, told in found.elements if tag == "img" or "onerror" in told]
    assert found.text.count(EVIL) >= 5
    told = json.loads(found.scripts[0])
    assert "<img" not in json.dumps(told), "plotly.js reads tags in labels"


def test_json_in_the_page_cannot_end_its_script() -> None:
    shown = script_json(["</script>", 1.5])
    assert "<" not in shown
    assert json.loads(shown) == ["</script>", 1.5]
    with pytest.raises(ValueError, match="JSON compliant"):
        script_json(math.nan)


def test_a_range_is_a_ribbon_between_its_prices_from_its_first_to_its_last_second() -> None:
    ribbon = trace(an_eventful_run(), "price", "range held")
    low, high = sorted(prices_of(a_pool(USDC, WETH), USDC, (202_600, 203_800)))
    assert ribbon["x"][:6] == [
        *(1_000 * time for time in (START, START + DAY, START + DAY, START, START)),
        None,
    ]
    assert ribbon["y"][:6] == pytest.approx([low, low, high, high, low, None])
    assert ribbon["x"][7] == 1_000 * (START + 3 * DAY)


def test_a_range_over_all_prices_leaves_the_price_to_be_seen() -> None:
    run = an_eventful_run(held=(a_held("[-887270, 887270)"),))
    low, high = picture(run, "price").layout["yaxis"]["range"]
    assert 1_300 < low < 1_380
    assert 1_620 < high < 1_700
    assert set(trace(run, "price", "range held")["y"]) == {low, high, None}


def test_a_move_is_marked_with_its_reason_and_a_swap_alone_otherwise() -> None:
    moves = (*an_eventful_run().moves, a_move("[201800, 203000)", day=2, reason="a hedge"))
    run = an_eventful_run(moves=moves)
    assert len(trace(run, "price", "range moved")["x"]) == 2
    swapped = trace(run, "price", "range kept")
    assert swapped["x"] == [1_000 * (START + 2 * DAY)]
    assert swapped["text"][0].startswith("a hedge<br>at 1,500.00 USDC per WETH<br>gas 0.5 USDC")


def test_the_bars_of_the_result_go_from_nothing_to_what_was_gained() -> None:
    run = an_eventful_run()
    bars = picture(run, "result").traces[0]
    assert bars["y"] == [20.0, -30.0, 7.2, -1.0, -0.5, pytest.approx(-4.3)]
    assert bars["base"] == pytest.approx([0, 20, -10, -2.8, -3.8, 0])
    assert sum(bars["y"][:-1]) == pytest.approx(bars["y"][-1])


def test_a_term_too_small_to_be_seen_has_no_bar() -> None:
    run = an_eventful_run(result=a_result(fees="10", rounding="0.000001"))
    assert [name for name in picture(run, "result").traces[0]["x"]] == ["fees", "result"]


def test_the_shares_of_both_tokens_are_the_whole() -> None:
    run = an_eventful_run()
    weth, usdc = (trace(run, "mix", symbol)["y"] for symbol in ("WETH", "USDC"))
    assert np.add(weth, usdc) == pytest.approx(100)
    assert weth[0] == pytest.approx(90)


def test_a_mix_that_is_not_known_at_times_is_told_by_the_others() -> None:
    some = a_curve([1_000, 1_000, 1_000], weight=[math.nan, 0.25, 0.5])
    assert picture(a_run(some), "mix").title == (
        "WETH was between 25.0 % and 50.0 % of the value, and 50.0 % at the end"
    )
    none = a_curve([0, 0], weight=[math.nan, math.nan])
    assert picture(a_run(none), "mix").title == "Nothing was held"


def test_what_is_not_known_is_a_gap_in_its_line() -> None:
    untouched = trace(an_eventful_run(), "value", "first ranges")
    assert untouched["y"][0] is None
    assert untouched["y"][1] == pytest.approx(1_000.01)


def test_fees_and_lvr_are_lines_and_so_is_the_one_over_the_other() -> None:
    run = an_eventful_run()
    assert trace(run, "lvr", "fees")["y"][-1] == pytest.approx(7.2)
    assert trace(run, "lvr", "LVR")["y"][-1] == pytest.approx(9)
    ratio = trace(run, "lvr", "fees / LVR")["y"]
    assert ratio[0] is None
    assert ratio[-1] == pytest.approx(0.8)


def test_the_same_thing_has_the_same_colour_and_each_is_defined_in_light_and_dark() -> None:
    run = an_eventful_run()
    assert trace(run, "value", "HODL")["line"]["color"] == "var(--hodl)"
    assert picture(run, "result").traces[0]["marker"]["color"][0] == "var(--hodl)"
    assert undefined_colours(pictures_of(findings_of(run))) == set()


def test_liquidity_and_price_are_shares_of_the_same_buckets() -> None:
    run = an_eventful_run()
    coverage = coverage_of(run)
    assert coverage is not None
    assert (np.diff(coverage.edges) > 0).all()
    assert coverage.price_time.sum() == pytest.approx(1)
    assert coverage.liquidity_time.sum() + coverage.outside == pytest.approx(1)
    inside = (coverage.edges[:-1] > 1_460) & (coverage.edges[1:] < 1_520)
    assert coverage.liquidity_time[inside] == pytest.approx(coverage.liquidity_time[inside][0])


def test_liquidity_far_from_the_price_is_counted_as_outside() -> None:
    coverage = coverage_of(an_eventful_run(held=(a_held("[-600, 0)"),)))
    assert coverage is not None
    assert (coverage.outside, coverage.reached, coverage.covered) == (1, 0, 0)


def test_the_price_is_covered_while_it_is_in_a_range_that_was_ever_held() -> None:
    price = [1_500.0, 1_500.0, 2_500.0, 2_500.0, 2_500.0]
    coverage = coverage_of(a_run(a_curve([1_000.0] * 5, price=price), held=(a_held(),)))
    assert coverage is not None
    assert coverage.covered == 0.5


def test_liquidity_counts_for_as_long_as_it_stood() -> None:
    near, far = a_held("[202600, 203800)", closed=START + DAY), a_held("[0, 1200)", opened=START)
    coverage = coverage_of(an_eventful_run(held=(near, far)))
    assert coverage is not None
    assert coverage.outside == pytest.approx(0.75)


def test_a_run_that_placed_nothing_has_no_picture_of_liquidity_and_says_so() -> None:
    curve = a_curve([1_000.0, 1_000.0], in_range=[math.nan, math.nan], untouched=[math.nan] * 2)
    found = findings_of(a_run(curve, held=(), moves=()))
    assert [one.key for one in pictures_of(found)] == ["price", "value", "result", "mix", "lvr"]
    page = elements_of(page_of(found))
    assert "no liquidity was ever placed" in page.text
    assert page.scripts[0].count("NaN") == 0


def test_prices_and_ticks_are_each_others_inverse_in_either_quote() -> None:
    pool = a_pool(USDC, WETH)
    assert prices_of(pool, USDC, [TICK_1500])[0] == pytest.approx(1_500, rel=2e-3)
    for quote in (USDC, WETH):
        prices = prices_of(pool, quote, [200_000, 203_190])
        assert ticks_of(pool, quote, prices) == pytest.approx([200_000, 203_190])


def test_a_long_run_is_thinned_to_its_ends_its_extremes_and_its_moves() -> None:
    price = np.full(100_000, 1_500.0)
    price[[31_234, 77_777]] = 1_900.0, 1_100.0
    curve = a_curve(np.linspace(1, 2, 100_000), step_s=12, price=price)
    run = a_run(curve, moves=(a_move("[0, 600)", time=int(curve.time[51_111])),))
    drawn = thinned(run, 500)
    assert len(drawn.time) <= 502
    assert {1_900.0, 1_100.0} <= set(drawn.price)
    assert {curve.time[0], curve.time[51_111], curve.time[-1]} <= set(drawn.time)


def test_a_page_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "out.html"
    path.write_text("old")
    write_page(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_cannot_be_finished_leaves_the_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.html"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LpmError, match=r"out\.html: the page cannot be written \(No space left"):
        write_page(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_that_could_not_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    require_writable(tmp_path / "out.html")
    with pytest.raises(LpmError, match="it is a folder"):
        require_writable(tmp_path)
    with pytest.raises(LpmError, match="its folder is not there"):
        require_writable(tmp_path / "absent" / "out.html")


@pytest.mark.parametrize(
    ("terms", "title"),
    [
        ({"fees": "40", "impermanent_loss": "-30", "gas": "1"}, "Fees of 40.0000 USDC paid for"),
        ({"fees": "4", "impermanent_loss": "-30"}, "Fees of 4.0000 USDC did not pay for 30.0000"),
        ({"fees": "4", "impermanent_loss": "2", "gas": "1"}, "USDC paid for 1.0000 USDC of swaps"),
    ],
)
def test_the_title_of_a_picture_is_what_it_shows(terms: dict[str, str], title: str) -> None:
    assert title in picture(an_eventful_run(result=a_result(**terms)), "result").title


def test_the_value_is_set_among_the_other_ways() -> None:
    curve = a_curve(
        [1_000, 900], hodl=[1_000, 950], full_range=[1_000, 880], untouched=[1_000, 890]
    )
    title = picture(a_run(curve), "value").title
    assert title == "This run ended above full range and first ranges kept, and below HODL"


def test_a_result_of_nothing_is_told_without_a_share() -> None:
    result = a_result()
    run = replace(
        a_run(),
        result={**result, "nav_start": Decimal(0), "nav_end": Decimal(0), "hodl_value": Decimal(0)},
    )
    found: Findings = findings_of(run)
    assert "0 USDC in 2 d, no more than holding the deposit" in page_of(found)
