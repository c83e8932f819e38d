"""A stress file: named scenarios, how tokens move together, and who issues them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationError

from lpmanager.config_errors import did_you_mean, explain
from lpmanager.errors import ConfigError
from lpmanager.setting_types import decimal_from
from lpmanager.settings import Name

if TYPE_CHECKING:
    from lpmanager.risk.contagion.shock import Dependence

T = TypeVar("T")

#: A move that makes a token worth more than this many times what it was is a mistake in the file.
_MOST = 1_000


def _percent_from(value: object) -> float:
    if not isinstance(value, str) or not value.strip().endswith("%"):
        raise ValueError('expected a text in percent, such as "-20%"')
    return float(decimal_from(value.strip()[:-1].strip()) / 100)


def _move_from(value: object) -> float:
    move = _percent_from(value)
    if not -1 < move < _MOST:
        raise ValueError(f"a move is above -100% and below {_MOST:,.0%}")
    return move


def _volatility_from(value: object) -> float:
    volatility = _percent_from(value)
    if not 0 < volatility < _MOST:
        raise ValueError(f"a volatility is above 0% and below {_MOST:,.0%}")
    return volatility


def _correlation_from(value: object) -> float:
    correlation = decimal_from(value)
    if not -1 <= correlation <= 1:
        raise ValueError("a correlation is between -1 and 1")
    return float(correlation)


def _worth_from(value: object) -> float:
    worth = decimal_from(value)
    if worth <= 0:
        raise ValueError("what is held or owed is more than 0")
    return float(worth)


def _some(table: Mapping[str, T]) -> Mapping[str, T]:
    if not table:
        raise ValueError("names nothing")
    return table


Move = Annotated[float, PlainValidator(_move_from)]
Volatility = Annotated[float, PlainValidator(_volatility_from)]
Correlation = Annotated[float, PlainValidator(_correlation_from)]
Worth = Annotated[float, PlainValidator(_worth_from)]
Scenario = Annotated[dict[str, Move], AfterValidator(_some)]


class StressFile(BaseModel):
    """The tables of a stress file, checked each by itself; `read_stress_file` checks the rest.

    Moves and volatilities are shares (-0.2 is -20 %), all volatilities over the same time;
    correlations are by "A/B". Without volatilities a token that a scenario does not name stays.
    `assets` are what lenders have, by token, and `debts` what anybody owes to whom, both worth so
    much in the money that all is counted in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    scenarios: Annotated[dict[Name, Scenario], AfterValidator(_some)]
    volatilities: dict[str, Volatility] = {}
    correlations: dict[str, Correlation] = {}
    issuers: dict[str, str] = {}
    assets: dict[Name, dict[str, Worth]] = {}
    debts: dict[Name, Annotated[dict[Name, Worth], AfterValidator(_some)]] = {}

    def dependence(self) -> Dependence:
        """How tokens move together. Needs the extra `quant`, and volatilities."""
        from lpmanager.risk.contagion.shock import Dependence

        tokens = tuple(self.volatilities)
        between = {frozenset(key.split("/")): each for key, each in self.correlations.items()}
        return Dependence(
            tokens=tokens,
            deviations=tuple(self.volatilities.values()),
            correlations=tuple(
                tuple(1.0 if a == b else between[frozenset((a, b))] for b in tokens) for a in tokens
            ),
        )


def read_stress_file(path: Path) -> StressFile:
    """A stress file. Raises ConfigError with a line for each mistake, by the path of its key."""
    try:
        file = StressFile.model_validate(_table(path))
    except ValidationError as error:
        lines = explain(error, StressFile)
    else:
        lines = [*_pair_mistakes(file), *_missing_pairs(file), *_without_volatility(file)]
        if not lines:
            return file
    raise ConfigError("\n".join(f"{path}: {line}" for line in lines))


def require_known(file: StressFile, path: Path, tokens: Iterable[str]) -> None:
    """Raise ConfigError for tokens of the file that are none of these and have no volatility, and
    where there are volatilities, for one of these that has none."""
    known = {*tokens, *file.volatilities}
    tables: dict[str, Iterable[str]] = {
        **{f"scenarios.{name}": named for name, named in file.scenarios.items()},
        "issuers": file.issuers,
        **{f"assets.{name}": tokens for name, tokens in file.assets.items()},
    }
    lines = [
        f"{table}.{token}: no campaign asked about trades it{did_you_mean(token, known)}"
        for table, named in tables.items()
        for token in named
        if token not in known
    ]
    if file.volatilities:
        lines += [
            f"volatilities.{token}: missing; without it nothing tells how {token} follows others"
            for token in sorted(known - set(file.volatilities))
        ]
    if lines:
        raise ConfigError("\n".join(f"{path}: {line}" for line in lines))


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _pair_mistakes(file: StressFile) -> Iterator[str]:
    seen: set[frozenset[str]] = set()
    for key in file.correlations:
        pair = frozenset(key.split("/"))
        if key.count("/") != 1 or len(pair) != 2:
            yield f'correlations."{key}": expected two tokens, as in "WETH/WBTC"'
            continue
        if pair in seen:
            yield f'correlations."{key}": these two have a correlation already'
        seen.add(pair)
        for token in sorted(pair - set(file.volatilities)):
            yield f'correlations."{key}": {token} has no volatility; add it to [volatilities]'


def _missing_pairs(file: StressFile) -> Iterator[str]:
    known = {frozenset(key.split("/")) for key in file.correlations}
    for pair in combinations(file.volatilities, 2):
        if frozenset(pair) not in known:
            yield f'correlations."{"/".join(pair)}": missing; all pairs of [volatilities] need one'


def _without_volatility(file: StressFile) -> Iterator[str]:
    if not file.volatilities:
        return
    for name, named in file.scenarios.items():
        for token in named:
            if token not in file.volatilities:
                yield (
                    f"scenarios.{name}.{token}: has no volatility, so that nothing tells how "
                    "others follow it; add it to [volatilities]"
                )
