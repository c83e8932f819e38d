"""From the names and options of the configuration to a policy."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import UnionType
from typing import Any, cast, get_args, get_type_hints

from lpmanager.errors import ConfigError
from lpmanager.rebalancer.policies.base import Policy
from lpmanager.rebalancer.policies.fixed_width import FixedWidth
from lpmanager.rebalancer.policies.inventory_skew import InventorySkew
from lpmanager.rebalancer.policies.passive import Passive
from lpmanager.rebalancer.policies.predictable_loss import PredictableLoss
from lpmanager.rebalancer.policies.volatility_width import VolatilityWidth

BUILT_IN: Mapping[str, type] = {
    "fixed_width": FixedWidth,
    "passive": Passive,
    "volatility_width": VolatilityWidth,
    "inventory_skew": InventorySkew,
    "predictable_loss": PredictableLoss,
}


def make_policy(name: str, options: Mapping[str, object]) -> Policy:
    """A built-in policy, or the dataclass "module:Class", with its options.

    Raises ConfigError naming the option that is missing, unknown or of the wrong kind.
    """
    kind = BUILT_IN[name] if name in BUILT_IN else _load(name)
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for option in options:
        if option not in fields:
            raise ConfigError(
                f"options.{option}: policy {name} has no such option; it has {', '.join(fields)}"
            )
    for field in fields.values():
        if field.name not in options and _has_no_default(field):
            raise ConfigError(f"options.{field.name}: policy {name} needs it")
    values = {key: _convert(key, value, hints[key]) for key, value in options.items()}
    try:
        return cast(Policy, kind(**values))
    except ValueError as error:
        raise ConfigError(f"options: policy {name}: {error}") from error


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _load(name: str) -> type:
    module_name, _, class_name = name.partition(":")
    if not class_name:
        raise ConfigError(
            f"policy: there is no {name!r}; choose {', '.join(BUILT_IN)} or name your own as "
            '"module:Class"'
        )
    try:
        kind = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"policy: cannot load {name!r}: {error}") from error
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and hasattr(kind, "target")):
        raise ConfigError(f"policy: {name!r} is not a dataclass with a method `target`")
    return kind


def _convert(key: str, value: object, hint: Any) -> object:
    """Numbers of the configuration as the field wants them; exact but where it wants a float."""
    hint = _kind_given(hint)
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if hint is Fraction and (number or isinstance(value, str)):
        try:
            return Fraction(cast("int | str | Decimal", value))
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            raise ConfigError(f"options.{key}: {value!r} is not a number") from error
    if hint is float and number:
        return float(cast("int | Decimal", value))
    if type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", hint)
    raise ConfigError(f"options.{key}: expected {wanted}, found {value!r}")


def _kind_given(hint: Any) -> Any:
    """What an option is where it is given: of "Fraction | None", Fraction."""
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if isinstance(hint, UnionType) and len(kinds) == 1 else hint
