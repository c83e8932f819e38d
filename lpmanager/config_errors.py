"""What is wrong with a configuration, one line per mistake, in the words of the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from lpmanager.setting_types import without_password

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_type": 'a text in "quotes"',
    "tuple_type": "a list",
}


def explain(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One line for each mistake: the key's path, what was expected, what was found."""
    return [f"{_path(detail['loc'])}: {_words(dict(detail), root)}" for detail in error.errors()]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint to append: the nearest known name, or all of them."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(choices)}"


def _path(loc: tuple[int | str, ...]) -> str:
    # "[key]" is how pydantic marks a mistake in the name of a table rather than in its value
    return ".".join(str(part) for part in loc if part != "[key]") or "the file"


def _words(detail: dict[str, Any], root: type[BaseModel]) -> str:
    kind, loc, found = detail["type"], detail["loc"], detail["input"]
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(loc[-1]), _keys_at(root, loc[:-1]))}"
    if kind == "string_pattern_mismatch":
        return "a name is made of letters, digits, - and _"
    if kind == "value_error":
        reason = str(detail["ctx"]["error"])
        return reason if isinstance(found, dict) else f"{reason}; found {_shown(found)}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_shown(found)}"
    return f"{detail['msg'].removeprefix('Input ')}; found {_shown(found)}"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | Decimal) else without_password(repr(value))


def _keys_at(root: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at a path, found by walking the models."""
    model, parts = root, iter(loc)
    for part in parts:
        annotation = model.model_fields[str(part)].annotation
        if get_origin(annotation) is dict:
            next(parts)  # the name the user gave to this table
        model = next(a for a in (annotation, *get_args(annotation)) if _is_model(a))
    return list(model.model_fields)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
