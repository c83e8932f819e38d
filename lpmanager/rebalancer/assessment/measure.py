"""One measure of a campaign's risk: what it answers, its value and unit, or why it is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lpmanager.model.units import HOUR_S
from lpmanager.risk.missing import Missing
from lpmanager.risk.search import Search

#: Of a campaign without tokens.
HOLDS_NOTHING = Missing("the campaign holds nothing")


class Question(StrEnum):
    """What a person asks the desk."""

    EXPOSURE = "What am I exposed to?"
    MARKET = "What is the market doing?"
    TOMORROW = "What can I lose by tomorrow?"
    CRASH = "What can I lose in a crash?"
    PAY = "Am I paid for it?"


class Unit(StrEnum):
    """What a number counts. Shares are fractions of 1; money is in whole tokens."""

    QUOTE = "quote"
    BASE = "base"
    BASE_PER_PRICE = "base per price"
    SHARE = "share"
    PER_YEAR = "per root year"
    A_YEAR = "a year"
    PER_DAY = "a day"
    RATIO = "times"
    SECONDS = "s"
    TICKS = "ticks"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """`meaning` says in a few words how it was measured, and where: a person reads it."""

    question: Question
    name: str
    value: float | str | Missing
    unit: Unit
    meaning: str


def last_of(found: Search | Missing, name: str, meaning: str) -> Measure:
    """How long ago the market last did something, or how far back it did not."""
    value: float | str | Missing
    unit = Unit.SECONDS
    if isinstance(found, Missing):
        value = found
    elif found.last_s is not None:
        value = float(found.last_s)
    else:
        value, unit = f"none in {found.within_s / HOUR_S:.1f} h", Unit.WORD
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
