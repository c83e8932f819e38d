"""demeter over minutes in its own files: one position put in at the start and left alone.

Run by the interpreter of its own venv: FOLDER FIRST_DAY DAYS LOWER_TICK UPPER_TICK QUOTE BASE.
Prints, as JSON, the rows, the seconds of CPU that its loop took, and the fees earned.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import date, timedelta

from demeter import Actuator, MarketInfo, Strategy, TokenInfo
from demeter.uniswap import UniLpMarket, UniV3Pool


class Once(Strategy):
    """Put everything into one range."""

    def __init__(self, market: MarketInfo, lower: int, upper: int) -> None:
        super().__init__()
        self.market, self.lower, self.upper = market, lower, upper

    def initialize(self) -> None:
        self.broker.markets[self.market].add_liquidity_by_tick(self.lower, self.upper)


def main() -> None:
    logging.disable(logging.WARNING)
    folder, day, days, lower, upper, quote_amount, base_amount = sys.argv[1:]
    first = date.fromisoformat(day)
    quote, base = TokenInfo(name="usdc", decimal=6), TokenInfo(name="eth", decimal=18)
    key = MarketInfo("pool")
    market = UniLpMarket(key, UniV3Pool(quote, base, 0.05, quote), data_path=folder)
    market.load_data("polygon", "0xpool", first, first + timedelta(days=int(days) - 1))
    # whole numbers of numpy do not become Decimal where a range is crossed
    market.data["closeTick"] = market.data["closeTick"].astype(float)
    actuator = Actuator()
    actuator.broker.add_market(market)
    actuator.broker.set_balance(quote, float(quote_amount))
    actuator.broker.set_balance(base, float(base_amount))
    actuator.strategy = Once(key, int(lower), int(upper))
    actuator.set_price(market.get_price_from_data())
    began = time.process_time()
    actuator.run(False)
    took = time.process_time() - began
    (position,) = market.positions.values()
    fees = [float(position.pending_amount0), float(position.pending_amount1)]
    sys.stdout.write(json.dumps({"rows": len(market.data), "cpu_s": took, "fees": fees}) + "\n")


main()
