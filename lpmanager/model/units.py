"""What the project counts in: seconds of a day, and the step of a tick."""

from __future__ import annotations

import math
from typing import Final

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
YEAR_S: Final = 365 * DAY_S

#: The change of the logarithm of price by one tick. For estimates: prices that are paid come from
#: `amm.tick_math`.
LOG_TICK: Final = math.log(1.0001)


def duration(seconds: float) -> str:
    """A time span in its two largest units, for people: "1,552 d 14 h", "40 min"."""
    days, left = divmod(round(seconds), DAY_S)
    hours, left = divmod(left, HOUR_S)
    minutes, left = divmod(left, MINUTE_S)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (left, "s"))
    shown = [f"{count:,} {unit}" for count, unit in parts if count]
    return " ".join(shown[:2]) or "0 s"
