"""Values of options as a person types them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from lpmanager.errors import UsageError


def assignments(option: str, texts: Sequence[str], example: str) -> dict[str, object]:
    """KEY=VALUE as the configuration would hold it: "300" is a number, "a" is text.

    Raises UsageError.
    """
    values: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option}: {text!r}: expected KEY=VALUE, as in {example}")
        try:
            values[key] = tomllib.loads(f"it = {value}", parse_float=Decimal)["it"]
        except tomllib.TOMLDecodeError:
            values[key] = value
    return values


def seconds(option: str, text: str) -> int:
    """A duration of at least a second: "10m", "1h30m", "90". Raises UsageError."""
    from lpmanager.setting_types import seconds_from_text

    try:
        value = seconds_from_text(int(text) if text.isdecimal() else text)
    except ValueError as error:
        raise UsageError(f"{option}: {text!r}: {error}") from error
    if value == 0:
        raise UsageError(f"{option}: expected at least 1s")
    return value


def decimal(option: str, text: str) -> Decimal:
    """A number of at least 0. Raises UsageError."""
    from lpmanager.setting_types import decimal_from

    try:
        value = decimal_from(text)
    except ValueError as error:
        raise UsageError(f"{option}: {text!r}: {error}") from error
    if value < 0:
        raise UsageError(f"{option}: expected at least 0, found {text}")
    return value


def time_of(option: str, text: str) -> int:
    """A time in UTC, as a date, a date and time, or Unix seconds. Raises UsageError."""
    try:
        if text.isdecimal():
            return int(text)
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option}: {text!r}: expected a date such as 2024-01-05, a time such as "
            '"2024-01-05 12:00" (UTC), or Unix seconds'
        ) from error
    return int((told if told.tzinfo is not None else told.replace(tzinfo=UTC)).timestamp())
