"""The desk's answers as a page: each campaign with its pictures, measures and gates."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.portfolio_words import whole_table
from lpmanager.cli.risk_page.crash_picture import crash_picture
from lpmanager.cli.risk_page.day_picture import day_picture
from lpmanager.cli.risk_page.exposure_picture import exposure_picture
from lpmanager.cli.risk_page.markout_picture import markout_picture
from lpmanager.cli.risk_page.pay_picture import pay_picture
from lpmanager.cli.risk_page.tables import gates_table, measures_table, not_asked_table
from lpmanager.cli.risk_page.together_picture import together_picture
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.volatility_picture import volatility_picture
from lpmanager.cli.words import moment
from lpmanager.model import Plan
from lpmanager.page import Document, document_html
from lpmanager.page.document import figure_html
from lpmanager.page.picture import Picture
from lpmanager.page.tables import list_html, paragraph_html, table_html
from lpmanager.rebalancer.assessment import Question
from lpmanager.rebalancer.assessment.portfolio import Whole
from lpmanager.risk.missing import Missing


def risk_page(
    campaigns: Sequence[Assessed],
    errors: Mapping[str, str],
    notes: Sequence[str] = (),
    together: Whole | Missing | None = None,
) -> str:
    """One page of all campaigns; `errors` says of each that could not be assessed why, `notes` what
    was assumed. `together` is shown where there is more than one campaign.

    It holds plotly.js, so plotly must be installed.
    """
    shown = [(one, pictures_of(one, f"campaign{at}")) for at, one in enumerate(campaigns)]
    of_all = None if len(campaigns) + len(errors) < 2 else together
    whole = () if of_all is None else (together_picture("together", of_all),)
    names = ", ".join([*(one.name for one in campaigns), *errors])
    return document_html(
        Document(
            title=f"Risk: {names}",
            about="What each campaign is exposed to, what it can lose, whether it is paid for "
            "that, and what would change its position. Estimates, of what the chain told until "
            "the block named.",
            headline=_headline(campaigns, errors),
            body="\n".join(
                [
                    *map(_picture, whole),
                    table_html(whole_table(of_all)) if isinstance(of_all, Whole) else "",
                    *(_campaign(one, pictures) for one, pictures in shown),
                    *(_failed(name, error) for name, error in errors.items()),
                    list_html("What was assumed", notes),
                ]
            ),
            pictures=[
                each
                for each in (*whole, *(each for _, some in shown for each in some))
                if isinstance(each, Picture)
            ],
        )
    )


def pictures_of(one: Assessed, key: str) -> tuple[Picture | Untold, ...]:
    """The pictures in the order of the page, or what is told in their place."""
    view, measures = one.view, one.measures
    return (
        exposure_picture(f"{key}-exposure", view),
        crash_picture(f"{key}-crash", view),
        day_picture(f"{key}-day", view, one.limits.appetite),
        volatility_picture(f"{key}-volatility", measures),
        pay_picture(f"{key}-pay", view, measures),
        markout_picture(f"{key}-markout", view.snapshot),
    )


def _headline(campaigns: Sequence[Assessed], errors: Mapping[str, str]) -> str:
    told = [
        *(f"{one.name} {_verb(one)}" for one in campaigns),
        *(f"{name} could not be assessed" for name in errors),
    ]
    return f"{'; '.join(told)}."


def _verb(one: Assessed) -> str:
    return "would act" if isinstance(one.decision, Plan) else "holds"


def _campaign(one: Assessed, pictures: Sequence[Picture | Untold]) -> str:
    snapshot = one.view.snapshot
    exposure, crash, day, volatility, pay, markout = map(_picture, pictures)
    return "\n".join(
        [
            f'<h2 class="part">{html.escape(one.name)}</h2>',
            f'<p class="about">{html.escape(str(snapshot.pool))} at block '
            f"{snapshot.block.number:,}, {moment(snapshot.block.timestamp)}</p>",
            f'<p class="headline">It {_verb(one)}: {html.escape(one.decision.reason)}</p>',
            _beside(exposure, crash),
            day,
            _beside(volatility, pay),
            markout,
            *(table_html(measures_table(one, question)) for question in Question),
            table_html(gates_table(one)),
            table_html(not_asked_table(one)),
        ]
    )


def _beside(*sections: str) -> str:
    return '<div class="columns">\n' + "\n".join(sections) + "\n</div>"


def _picture(shown: Picture | Untold) -> str:
    if isinstance(shown, Picture):
        return figure_html(shown)
    return paragraph_html(shown.title, f"Not known: {shown.reason}")


def _failed(name: str, error: str) -> str:
    return paragraph_html(name, f"Could not be assessed: {error}")
