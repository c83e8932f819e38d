"""A calibration as JSON, and back. What is read was written by nobody who is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from lpmanager.risk.calibration.calibration import Calibration

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """`version` changes with the meaning of what is kept."""

    version: Literal[1]
    calibration: Calibration


def calibration_to_json(calibration: Calibration) -> str:
    """One line of JSON; every number as it is."""
    return _adapter().dump_json(_Kept(version=1, calibration=calibration)).decode()


def calibration_from_json(text: str) -> Calibration:
    """The calibration in it. Raises ValueError, in one line that names the field, where there is
    none, or one that cannot be."""
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(text, strict=True).calibration
    except ValidationError as error:
        raise ValueError(_told(error)) from error


def _told(error: ValidationError) -> str:
    """One mistake: what is there and cannot be, before what another kind of rule would have."""
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    impossible = [each for each in mistakes if each["type"] == "value_error"]
    one = (impossible or mistakes)[0]
    return f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}"


@cache
def _adapter() -> TypeAdapter[_Kept]:
    from pydantic import TypeAdapter

    return TypeAdapter(_Kept)
