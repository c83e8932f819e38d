"""What names a recorded market on the command line: a file with its pool's terms, or a store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.option_texts import time_of
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.backtest.markets.market import Market
    from lpmanager.chain.presets import Chain
    from lpmanager.model import PoolKey, Token

Chains = Callable[[], Mapping[str, "Chain"]]

MarketPath = Annotated[
    Path,
    typer.Argument(
        metavar="MARKET",
        help="A CSV of events or of minutes (.csv, .csv.gz), a folder of minutes, or one of the "
        "store that `lpm fetch` fills.",
    ),
]
Pair = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN0/TOKEN1",
        help="Of a file: the pool's tokens in its own order, with their decimals unless they are "
        "well known, as in USDC/WETH or ABC:18/USDC:6.",
    ),
]
Fee = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="Of a file: the pool's fee, as in 0.05%.")
]
Spacing = Annotated[
    int | None,
    typer.Option(min=1, help="Of a file: tickSpacing, where the fee does not tell it."),
]
ChainName = Annotated[
    str | None, typer.Option("--chain", help="Of a file: its chain, by name or id.")
]
Quote = Annotated[
    str | None,
    typer.Option(metavar="TOKEN", help="What value is counted in; the dollar, where one is there."),
]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Use rows from then on, UTC.")
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Use rows before then, UTC.")]

_DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(("USDC", "USDT", "USDC.E", "USDBC"), 6),
    **dict.fromkeys(("WBTC", "CBBTC"), 8),
    **dict.fromkeys(("DAI", "USDS", "FRAX", "LUSD", "BUSD", "WETH", "WSTETH", "WBNB"), 18),
    **dict.fromkeys(("WMATIC", "WPOL", "ARB", "OP", "UNI", "LINK", "AAVE"), 18),
}
#: Chains on which some of these have other decimals.
_OTHER_DECIMALS: Mapping[str, Mapping[str, int]] = {"bnb": {"USDC": 18, "USDT": 18}}
#: What the wrapped coin of a chain is called, beside "W" and the coin's symbol.
_FORMER_NAMES = {"POL": "WMATIC"}
_SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
_TOKEN = re.compile(r"([A-Za-z0-9.$_-]+)(?::(\d{1,2}))?")
_PLACEHOLDERS = (
    "The addresses of the pool and its tokens are not in the file: made-up ones stand for them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOptions:
    """A market, and which part of it, in a person's words."""

    market: MarketPath
    pair: Pair = None
    fee: Fee = None
    spacing: Spacing = None
    chain: ChainName = None
    quote: Quote = None
    start: From = None
    end: To = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMarket:
    """A market that was read, the chain it was on, and the token that value is counted in."""

    market: Market
    chain: Chain
    quote: Token

    @property
    def base(self) -> Token:
        """The pool's token that is not the quote."""
        pool = self.market.pool
        return pool.token1 if self.quote == pool.token0 else pool.token0


def open_market(
    options: MarketOptions, chains: Mapping[str, Chain], others: Chains = dict
) -> OpenMarket:
    """Read the market that was named; `chains` are those that have a name, `others` is asked for
    more where the market is on none of them.

    Raises UsageError for what is missing or contradicts itself, and MarketDataError, naming row
    and column, for a market that is wrong.
    """
    read = _from_store if _is_store(options.market) else _from_file
    market, chain = read(options, chains, others)
    return OpenMarket(market=market, chain=chain, quote=quote_of(market.pool, options.quote))


def quote_of(pool: PoolKey, name: str | None) -> Token:
    """The token of that name; without one the only dollar of the pair. Raises UsageError."""
    from lpmanager.backtest.markets.plausibility import is_dollar

    if name is not None:
        named = pool.token_named(name)
        if named is None:
            raise UsageError(
                f"--quote: {name!r} is not one token of the pool; it holds {pool.token0.symbol} "
                f"and {pool.token1.symbol}"
            )
        return named
    dollars = [token for token in (pool.token0, pool.token1) if is_dollar(token)]
    if len(dollars) != 1:
        raise UsageError(
            f"--quote: missing; say in which of {pool.token0.symbol} and {pool.token1.symbol} "
            "value is counted"
        )
    return dollars[0]


def pool_of(pair: str, fee: str, spacing: int | None, chain: Chain) -> PoolKey:
    """A pool by its terms. Its address and those of its tokens are made up from their names, but
    for the chain's wrapped coin. Raises UsageError."""
    from lpmanager.model import PoolKey

    names = pair.split("/")
    if len(names) != 2:
        raise UsageError(f"--pair: {pair!r}: expected two tokens, as in USDC/WETH")
    token0, token1 = (_token(name, chain) for name in names)
    if token0.symbol == token1.symbol:
        raise UsageError(f"--pair: {pair!r}: expected two different tokens")
    pips = _fee_pips(fee)
    if spacing is None and pips not in _SPACINGS:
        raise UsageError(f"--spacing: missing; a fee of {fee} does not tell the pool's tickSpacing")
    return PoolKey(
        address=_made_up(chain, f"{pair} {pips}"),
        token0=token0,
        token1=token1,
        fee_pips=pips,
        tick_spacing=_SPACINGS[pips] if spacing is None else spacing,
    )


def chain_named(text: str, chains: Mapping[str, Chain], others: Chains = dict) -> Chain:
    """The chain of that name or id. Raises UsageError."""
    found = _chain(text, chains)
    if found is not None:
        return found
    every = {**chains, **others()}
    found = _chain(text, every)
    if found is not None:
        return found
    known = ", ".join(f"{name} ({chain.chain_id})" for name, chain in every.items())
    raise UsageError(f"--chain: there is no chain {text!r}; there are {known}")


def is_wrapped_coin(token: Token, chain: Chain) -> bool:
    """Whether a token is the chain's own coin, wrapped."""
    return token.address.lower() == chain.wrapped_native.lower()


def _is_store(path: Path) -> bool:
    """Whether a path is of a store: a folder, and none of CSV files."""
    return path.is_dir() and not any(path.glob("*.csv")) and not any(path.glob("*.csv.gz"))


def _chain(text: str, chains: Mapping[str, Chain]) -> Chain | None:
    of_id = (chain for chain in chains.values() if str(chain.chain_id) == text)
    return chains[text] if text in chains else next(of_id, None)


def _from_file(
    options: MarketOptions, chains: Mapping[str, Chain], others: Chains
) -> tuple[Market, Chain]:
    from lpmanager.backtest.markets.reading import read_market

    pair = _needed("--pair", options.pair, "the pool's tokens, as in --pair USDC/WETH")
    fee = _needed("--fee", options.fee, "the pool's fee, as in --fee 0.05%")
    chain = chain_named(
        _needed("--chain", options.chain, "the pool's chain, as in --chain polygon"), chains, others
    )
    pool = pool_of(pair, fee, options.spacing, chain)
    market = read_market(options.market, pool, chain.chain_id, *_window(options))
    return replace(market, notes=(*market.notes, _PLACEHOLDERS)), chain


def _from_store(
    options: MarketOptions, chains: Mapping[str, Chain], others: Chains
) -> tuple[Market, Chain]:
    from lpmanager.backtest.store.shelf import find_shelf, read

    told = {
        "--pair": options.pair,
        "--fee": options.fee,
        "--spacing": options.spacing,
        "--chain": options.chain,
    }
    for name, value in told.items():
        if value is not None:
            raise UsageError(f"{name}: is for a file; the store {options.market} knows its pools")
    market = read(find_shelf(options.market), *_window(options))
    number = str(market.chain_id)
    chain = _chain(number, chains) or _chain(number, others())
    if chain is None:
        raise UsageError(
            f"{options.market}: is of chain {number}, which is no preset; name the file that has "
            "it: --config FILE"
        )
    return market, chain


def _window(options: MarketOptions) -> tuple[int | None, int | None]:
    start = None if options.start is None else time_of("--from", options.start)
    end = None if options.end is None else time_of("--to", options.end)
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--to: {options.end} is not after --from {options.start}")
    return start, end


def _needed(option: str, value: str | None, what: str) -> str:
    if value is None:
        raise UsageError(f"{option}: missing; a file does not tell {what}")
    return value


def _token(text: str, chain: Chain) -> Token:
    from lpmanager.model import Token

    match = _TOKEN.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--pair: {text!r}: expected a token and its decimals, as in USDC:6")
    symbol, decimals = match[1], match[2]
    known = {**_DECIMALS, **_OTHER_DECIMALS.get(chain.name, {})}
    if decimals is None and symbol.upper() not in known:
        raise UsageError(f"--pair: {symbol}: give its decimals too, as in {symbol}:18")
    wrapped = {f"W{chain.native_symbol}", _FORMER_NAMES.get(chain.native_symbol)}
    try:
        return Token(
            chain_id=chain.chain_id,
            address=chain.wrapped_native if symbol in wrapped else _made_up(chain, symbol),
            symbol=symbol,
            decimals=known[symbol.upper()] if decimals is None else int(decimals),
        )
    except ValueError as error:
        raise UsageError(f"--pair: {error}") from error


def _made_up(chain: Chain, name: str) -> str:
    """An address that only follows from a name."""
    from eth_utils.address import to_checksum_address

    digest = hashlib.sha256(f"lpmanager/{chain.chain_id}/{name}".encode())
    return to_checksum_address("0x" + digest.hexdigest()[:40])


def _fee_pips(text: str) -> int:
    from lpmanager.setting_types import fee_pips_from

    try:
        return fee_pips_from(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise UsageError(f"--fee: {text!r}: {error}") from error
