"""Which senders' swaps cost the pool's providers, and which paid them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from lpmanager.cli.risk_page.lying_bars import Bar, height_for, lying_bars, rows_axis
from lpmanager.cli.risk_page.untold import Untold
from lpmanager.cli.risk_page.wording import money
from lpmanager.cli.words import number
from lpmanager.model import Snapshot
from lpmanager.page.picture import FEES, LVR, Picture, axis
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import (
    HORIZON_S,
    Markout,
    by_sender,
    markouts,
    token1_in_quote,
)

_TITLE = "Markout by sender"
_LATER = f"at the pool's price {HORIZON_S // 60} minutes later"
_MOST_SENDERS = 10
#: An address is shown by so many of its first and of its last characters.
_HEAD, _TAIL = 6, 4


def markout_picture(key: str, snapshot: Snapshot) -> Picture | Untold:
    """A bar for each of the ten senders that cost the providers most, and one for the others."""
    found = markouts(snapshot)
    if isinstance(found, Missing):
        return Untold(title=_TITLE, reason=found.reason)
    symbol = snapshot.quote.symbol
    if not any(one.sender for one in found):
        made = money(_gain(found) * token1_in_quote(snapshot), symbol)
        return Untold(
            title=_TITLE,
            reason=(
                "the record does not tell who swapped. Of all swaps together the pool's providers "
                f"made {made}, valued {_LATER}, fees included, each counted the same; in the "
                "table old swaps fade"
            ),
        )
    senders = by_sender(found)
    first, others = senders[:_MOST_SENDERS], senders[_MOST_SENDERS:]
    bars = [_bar(_short(one.sender), one.sender, [one], snapshot) for one in first]
    if others:
        count = f"{len(others):,} other{'s' if len(others) > 1 else ''}"
        bars.append(_bar(count, count, others, snapshot))
    return Picture(
        key=key,
        title=_title(bars[0], symbol),
        caption=(
            f"{len(found):,} swaps, each valued {_LATER}: what all providers together made of it, "
            f"its fee included, in {symbol} at the price of now, whenever it was; in the table old "
            "swaps fade. A sender is the contract that called the pool, often a router of many "
            "people."
        ),
        traces=[lying_bars(bars)],
        layout={
            "xaxis": axis(f"the providers' gain in {symbol}", zeroline=True),
            "yaxis": rows_axis([bar.name for bar in bars]),
            "showlegend": False,
        },
        height=height_for(bars),
    )


def _bar(name: str, sender: str, found: Sequence[Markout], snapshot: Snapshot) -> Bar:
    """What these markouts come to, in quote tokens."""
    unit, symbol = token1_in_quote(snapshot), snapshot.quote.symbol
    gain, volume = _gain(found) * unit, sum(one.volume for one in found) * unit
    return Bar(
        name=name,
        value=gain,
        colour=LVR if gain < 0 else FEES,
        told=number(Fraction(gain)),
        more=f"{sender}: {money(gain, symbol)} of a volume of {money(volume, symbol)}",
    )


def _title(worst: Bar, symbol: str) -> str:
    if worst.value < 0:
        return f"{worst.name} cost the pool's providers the most: {money(-worst.value, symbol)}"
    return "No sender cost the pool's providers more than its fees"


def _gain(found: Sequence[Markout]) -> float:
    return sum(one.gain for one in found)


def _short(address: str) -> str:
    if len(address) <= _HEAD + _TAIL:
        return address or "not told"
    return f"{address[:_HEAD]}\N{HORIZONTAL ELLIPSIS}{address[-_TAIL:]}"
