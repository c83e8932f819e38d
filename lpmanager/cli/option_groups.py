"""Options that are declared once and taken by several commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """A command that takes every field of its dataclass parameters as an option of its own.

    Typer reads options from a signature, one by one. The dataclasses are keyword-only, and so are
    the parameters that take them.
    """
    signature = inspect.signature(command, eval_str=True)
    told = signature.parameters.values()
    groups = {each.name: each.annotation for each in told if _is_group(each.annotation)}
    options = [option for each in told for option in _options(each)]

    @wraps(command)
    def gathering(**values: Any) -> None:
        gathered = {
            name: group(**{key: values.pop(key) for key in _names(group) if key in values})
            for name, group in groups.items()
        }
        command(**values, **gathered)

    gathering.__annotations__ = {option.name: option.annotation for option in options}
    gathering.__dict__["__signature__"] = signature.replace(parameters=options)
    return gathering


def _names(group: Any) -> list[str]:
    return [field.name for field in fields(group)]


def _is_group(annotation: object) -> bool:
    return isinstance(annotation, type) and is_dataclass(annotation)


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    if not _is_group(parameter.annotation):
        return [parameter]
    # a dataclass may take over fields from one of another module: each is read in its own
    hints = get_type_hints(parameter.annotation, include_extras=True)
    fields_told = inspect.signature(parameter.annotation).parameters.values()
    return [field.replace(annotation=hints[field.name]) for field in fields_told]
