"""The kinds of value a setting can be, and the words in which a wrong one is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from eth_utils.address import to_checksum_address
from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)

from lpmanager.model.token import decimal_text

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNIT_SECONDS = (86_400, 3_600, 60, 1)
#: Up to the last @: one of a password's own may stand before it unescaped.
_PASSWORD = re.compile(r"(://[^:/]*:).*@", re.DOTALL)
_PASSWORD_BEHIND = re.compile(r"([?&]\w*password=)[^&]*")
_SQLITE = "sqlite:///"
_ZERO_ADDRESS = "0x" + "0" * 40
#: Powers of ten within which a number is taken: floats hold its square, and its digits are few.
_MOST_DIGITS = 100
#: Years within which a moment is taken: a day before and after any of them is a day as well.
_YEARS = range(1970, 2100)


def seconds_from_text(value: object) -> int:
    """Whole seconds from a number of them, or from a duration such as "90s", "10m" or "1h30m"."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError('expected seconds, or a duration such as "30s", "10m", "1h", "1d"')
    return sum(
        int(count) * unit
        for count, unit in zip(match.groups(default="0"), _UNIT_SECONDS, strict=True)
    )


def decimal_from(value: object) -> Decimal:
    """An exact decimal from a TOML number or a text; binary floats are refused, and so is what only
    a mistake can mean: no amount, price or limit is so large, or so small and not 0."""
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            if number and not -_MOST_DIGITS <= number.adjusted() <= _MOST_DIGITS:
                raise ValueError(
                    f"a number that is not 0 is between 1e-{_MOST_DIGITS} and 1e{_MOST_DIGITS} "
                    "in size"
                )
            return number
    raise ValueError('expected a decimal number such as 0.5 or "0.5"')


def fee_pips_from(value: object) -> int:
    """A pool's fee in pips (millionths), from an integer of them or a text in percent."""
    if isinstance(value, int) and not isinstance(value, bool):
        pips = Decimal(value)
    elif isinstance(value, str) and value.endswith("%"):
        pips = decimal_from(value[:-1].strip()) * 10_000
    else:
        raise ValueError('expected the fee in percent as text ("0.05%") or in pips (500)')
    if not 0 < pips < 1_000_000 or pips != int(pips):
        raise ValueError(f"there is no fee of {pips:f} pips; 0.05 % is 500 pips")
    return int(pips)


def share_pips_from(text: str) -> int:
    """A share in pips (millionths) from a text in percent such as "0.25%"."""
    number = text.strip()
    if not number.endswith("%"):
        raise ValueError('expected a share in percent, such as "0.25%"')
    pips = decimal_from(number[:-1].strip()) * 10_000
    if not 0 <= pips <= 1_000_000 or pips != int(pips):
        raise ValueError("a share is between 0% and 100%, in steps of 0.0001%")
    return int(pips)


def address_from(value: object) -> str:
    """A checksummed address. Mixed case must carry a right checksum: it catches mistyping."""
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
        raise ValueError("expected an address: 0x and 40 hexadecimal digits")
    digits = value.removeprefix("0x")
    mixed_case = digits not in (digits.lower(), digits.upper())
    if mixed_case and value != to_checksum_address(value):
        raise ValueError("the checksum of this address is wrong; copy it again")
    if value == _ZERO_ADDRESS:
        raise ValueError("the zero address is a placeholder; put a real one")
    return to_checksum_address(value)


def _file_name_from(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", value):
        raise ValueError("expected the name of a file, without its folder")
    return value


def _code_hash_from(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{64}", value):
        raise ValueError("expected a hash: 0x and 64 hexadecimal digits")
    return value.lower()


def _fraction_from(value: object) -> Fraction:
    return Fraction(decimal_from(value))


def _share(value: Fraction) -> Fraction:
    if not 0 <= value <= 1:
        raise ValueError("a share is between 0 and 1")
    return value


def _positive(value: Fraction) -> Fraction:
    if value <= 0:
        raise ValueError("expected more than 0")
    return value


def _correlation(value: Fraction) -> Fraction:
    if not -1 <= value <= 1:
        raise ValueError("a correlation is between -1 and 1")
    return value


def _moment_from(value: object) -> datetime:
    """A date and time of TOML with its zone, or the end (UTC) of a date; or the same as text."""
    told = _date_from_text(value) if isinstance(value, str) else value
    if isinstance(told, date) and told.year not in _YEARS:
        raise ValueError(f"expected a time from {_YEARS[0]} to {_YEARS[-1]}")
    if isinstance(told, datetime) and told.tzinfo is not None:
        return told.astimezone(UTC)
    if isinstance(told, date) and not isinstance(told, datetime):
        return datetime.combine(told + timedelta(days=1), time(), UTC)
    raise ValueError(
        "expected a time with its zone such as 2024-06-28T14:30:00Z, or a date such as 2024-06-28, "
        "whose end counts"
    )


def _date_from_text(text: str) -> date | None:
    """A `datetime` where the text tells a time of the day; None where it is neither."""
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _amount_text_from(value: object) -> str:
    amount = decimal_from(value)
    if amount < 0:
        raise ValueError("an amount cannot be negative")
    return f"{amount:f}"


def _path_beside_file(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError("expected a path, relative to this file or absolute")
    return _folder(info) / Path(value).expanduser()


def _store_beside_file(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str) or not value.startswith((_SQLITE, "postgresql")):
        raise ValueError('expected a database URL such as "sqlite:///lpmanager.db"')
    if not value.startswith(_SQLITE):
        return value
    return _SQLITE + str(_folder(info) / Path(value.removeprefix(_SQLITE)).expanduser())


def _folder(info: ValidationInfo) -> Path:
    if info.context is None:
        raise ValueError("settings with paths are read by lpmanager.config.load")
    folder: Path = info.context["folder"]
    return folder


def without_password(text: str) -> str:
    """A URL, or any other text, with the password of a URL masked."""
    return _PASSWORD_BEHIND.sub(r"\1**********", _PASSWORD.sub(r"\1**********@", text))


Seconds = Annotated[
    int,
    BeforeValidator(seconds_from_text),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]
Number = Annotated[
    Fraction,
    PlainValidator(_fraction_from),
    PlainSerializer(decimal_text),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
Positive = Annotated[Number, AfterValidator(_positive)]
Share = Annotated[Number, AfterValidator(_share)]
Correlation = Annotated[Number, AfterValidator(_correlation)]
Moment = Annotated[
    datetime,
    PlainValidator(_moment_from),
    PlainSerializer(datetime.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
]
AmountText = Annotated[
    str,
    PlainValidator(_amount_text_from),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]
FeePips = Annotated[
    int,
    PlainValidator(fee_pips_from),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]
Address = Annotated[
    str,
    PlainValidator(address_from),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}),
]
FileName = Annotated[str, PlainValidator(_file_name_from), WithJsonSchema({"type": "string"})]
CodeHash = Annotated[
    str,
    PlainValidator(_code_hash_from),
    WithJsonSchema({"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}),
]
LocalPath = Annotated[Path, PlainValidator(_path_beside_file), WithJsonSchema({"type": "string"})]
StoreUrl = Annotated[
    str,
    PlainValidator(_store_beside_file),
    PlainSerializer(without_password),
    WithJsonSchema({"type": "string"}),
]
