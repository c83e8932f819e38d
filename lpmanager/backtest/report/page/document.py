"""A backtest as a page: what was found, the pictures, and the tables."""

from __future__ import annotations

from collections.abc import Sequence

from lpmanager.backtest.report.account import (
    about,
    holds_table,
    moves_table,
    notes,
    result_table,
    standings_table,
    statistics_table,
)
from lpmanager.backtest.report.findings import Findings, halt_finding, headline
from lpmanager.backtest.report.page.liquidity_picture import liquidity_picture
from lpmanager.backtest.report.page.lvr_picture import lvr_picture
from lpmanager.backtest.report.page.mix_picture import mix_picture
from lpmanager.backtest.report.page.price_picture import price_picture
from lpmanager.backtest.report.page.result_picture import result_picture
from lpmanager.backtest.report.page.value_picture import value_picture
from lpmanager.page.document import Document, document_html, figure_html
from lpmanager.page.picture import Picture
from lpmanager.page.tables import list_html, table_html


def page_of(found: Findings) -> str:
    """The whole page. It holds plotly.js, so plotly must be installed."""
    pictures = pictures_of(found)
    return document_html(
        Document(
            title=f"{found.run.market}: {found.run.policy}",
            about=about(found),
            headline=". ".join(filter(None, (headline(found), halt_finding(found)))),
            body=_body(found, pictures),
            pictures=pictures,
        )
    )


def pictures_of(found: Findings) -> list[Picture]:
    """The pictures, in the order of the page."""
    made = [
        price_picture(found),
        value_picture(found),
        result_picture(found),
        mix_picture(found),
        liquidity_picture(found),
        lvr_picture(found),
    ]
    return [picture for picture in made if picture is not None]


def _body(found: Findings, pictures: Sequence[Picture]) -> str:
    first, second, *others = (figure_html(picture) for picture in pictures)
    side_by_side = f"{table_html(result_table(found))}\n{table_html(statistics_table(found))}"
    parts = [
        first,
        f'<div class="columns">\n{side_by_side}\n</div>',
        second,
        table_html(standings_table(found)),
        *others,
        table_html(moves_table(found)),
        table_html(holds_table(found)),
        list_html("What was assumed", notes(found)),
    ]
    return "\n".join(part for part in parts if part)
