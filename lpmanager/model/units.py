"""What the project counts in: seconds of a day, and the step of a tick."""

from __future__ import annotations

import math
from typing import Final

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
YEAR_S: Final = 365 * DAY_S

#: The change of the logarithm of price by one tick. For estimates: prices that are paid come from
#: `amm.tick_math`.
LOG_TICK: Final = math.log(1.0001)
