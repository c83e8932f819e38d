"""The page itself: what was found, the pictures, the tables, and all they need, in one text."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib.resources import files

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
from lpmanager.backtest.report.page.picture import Picture
from lpmanager.backtest.report.page.price_picture import price_picture
from lpmanager.backtest.report.page.result_picture import result_picture
from lpmanager.backtest.report.page.tables import list_html, table_html
from lpmanager.backtest.report.page.value_picture import value_picture

#: The page loads nothing: what is not in it is refused by the browser.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>
<body>
<h1>{title}</h1>
<p class="about">{about}</p>
<p class="headline"><strong>{headline}</strong></p>
{body}
<noscript><p>The pictures are drawn by a script of this page, which your browser was told not to
run. The tables need none.</p></noscript>
<script type="application/json" id="pictures">{pictures}</script>
<script>
{plotly}
</script>
<script>
{js}</script>
</body>
</html>
"""


def page_of(found: Findings) -> str:
    """The whole page. It holds plotly.js, so plotly must be installed."""
    pictures = pictures_of(found)
    room = files(__package__)
    return _PAGE.format(
        policy=_POLICY,
        title=html.escape(f"{found.run.market}: {found.run.policy}"),
        css=room.joinpath("page.css").read_text(encoding="utf-8"),
        about=html.escape(about(found)),
        headline=html.escape(". ".join(filter(None, (headline(found), halt_finding(found))))),
        body=_body(found, pictures),
        pictures=script_json([_json(picture) for picture in pictures]),
        plotly=_plotly_js(),
        js=room.joinpath("page.js").read_text(encoding="utf-8"),
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


def script_json(value: object) -> str:
    """JSON that cannot end the script element it stands in. Raises ValueError on NaN."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _body(found: Findings, pictures: Sequence[Picture]) -> str:
    first, second, *others = (_figure(picture) for picture in pictures)
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


def _figure(picture: Picture) -> str:
    tall = " tall" if "yaxis2" in picture.layout else ""
    return (
        f"<section>\n<h2>{html.escape(picture.title)}</h2>\n"
        f'<div class="picture{tall}" id="{picture.key}"></div>\n'
        f'<p class="caption">{html.escape(picture.caption)}</p>\n</section>'
    )


def _json(picture: Picture) -> dict[str, object]:
    return {"key": picture.key, "traces": picture.traces, "layout": picture.layout}


def _plotly_js() -> str:
    """plotly.js as the installed package brings it."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("</script", "<\\/script")
