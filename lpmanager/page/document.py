"""The page itself: its words, pictures and tables, and all they need, in one text."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from lpmanager.page.picture import Picture

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page: `title`, `about` and `headline` as plain text, `body` as HTML with a place for each
    of the pictures (`figure_html`)."""

    title: str
    about: str
    headline: str
    body: str
    pictures: Sequence[Picture]


def document_html(document: Document) -> str:
    """The whole page. It holds plotly.js, so plotly must be installed."""
    room = files(__package__)
    return _PAGE.format(
        policy=_POLICY,
        title=html.escape(document.title),
        css=room.joinpath("page.css").read_text(encoding="utf-8"),
        about=html.escape(document.about),
        headline=html.escape(document.headline),
        body=document.body,
        pictures=script_json([_json(picture) for picture in document.pictures]),
        plotly=_plotly_js(),
        js=room.joinpath("page.js").read_text(encoding="utf-8"),
    )


def figure_html(picture: Picture) -> str:
    """A section with the picture's place."""
    return (
        f"<section>\n<h2>{html.escape(picture.title)}</h2>\n"
        f'<div class="picture {picture.height}" id="{html.escape(picture.key)}"></div>\n'
        f'<p class="caption">{html.escape(picture.caption)}</p>\n</section>'
    )


def script_json(value: object) -> str:
    """JSON that cannot end the script element it stands in. Raises ValueError on NaN."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _json(picture: Picture) -> dict[str, object]:
    return {"key": picture.key, "traces": picture.traces, "layout": picture.layout}


def _plotly_js() -> str:
    """plotly.js as the installed package brings it."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.replace("</script", "<\\/script")
