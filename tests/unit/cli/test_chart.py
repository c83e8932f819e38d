"""The picture of price against range."""

from __future__ import annotations

import pytest

from lpmanager.cli.chart import Moment, picture

WIDTH, HEIGHT = 40, 9
AXIS = 10


def at(hour: int, price: float, *bands: tuple[float, float], mark: str = "") -> Moment:
    return Moment(timestamp=hour * 3600, price=price, bands=bands, mark=mark)


def rows_of(*moments: Moment) -> list[str]:
    return picture(moments, width=WIDTH, height=HEIGHT).plain.split("\n")


def column(rows: list[str], index: int) -> str:
    return "".join(row[AXIS + index] for row in rows[:HEIGHT])


def test_every_column_has_one_price_and_a_rising_price_goes_up() -> None:
    rows = rows_of(at(0, 100.0), at(10, 200.0))
    heights = [column(rows, i).index("•") for i in range(WIDTH - AXIS)]
    assert all(column(rows, i).count("•") == 1 for i in range(WIDTH - AXIS))
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[-1]


def test_a_range_is_shaded_from_when_it_is_held_and_two_are_darker() -> None:
    rows = rows_of(at(0, 100.0), at(5, 110.0, (90.0, 120.0), (104.0, 120.0)), at(10, 100.0))
    assert "░" not in column(rows, 5)
    assert "▒" in column(rows, 18)
    assert "░" in column(rows, 18)
    assert "░" not in column(rows, WIDTH - AXIS - 1)


def test_a_range_that_does_not_hold_the_price_is_not_under_it() -> None:
    rows = rows_of(at(0, 100.0, (150.0, 250.0)), at(10, 200.0))
    first = column(rows, 0)
    assert first.index("░") < first.index("•")
    assert set(first[first.index("•") :]) == {"•", " "}


def test_a_move_is_marked_at_its_price_with_its_letter() -> None:
    rows = rows_of(at(0, 100.0), at(5, 100.0, mark="H"), at(10, 200.0, mark="R"))
    marked = [c for i in range(WIDTH - AXIS) for c in column(rows, i) if c in "HR"]
    assert marked == ["H", "R"]
    assert column(rows, WIDTH - AXIS - 1).index("R") < HEIGHT // 2


def test_no_row_is_wider_than_asked_and_the_axes_name_price_and_time() -> None:
    rows = rows_of(at(0, 2_000.0), at(23, 2_100.0))
    assert max(len(row) for row in rows) == WIDTH
    assert rows[0].startswith(" 2,115.0 ┤")
    assert rows[HEIGHT].split()[0] == "00:00"


def test_a_price_that_never_moved_is_a_flat_line() -> None:
    rows = rows_of(at(0, 100.0))
    assert {column(rows, i).index("•") for i in range(WIDTH - AXIS)} == {HEIGHT // 2}


@pytest.mark.parametrize(("moments", "width"), [([], 40), ([at(0, 1.0)], 11)])
def test_nothing_to_draw_or_no_room_is_an_error(moments: list[Moment], width: int) -> None:
    with pytest.raises(ValueError, match="room"):
        picture(moments, width=width, height=HEIGHT)
