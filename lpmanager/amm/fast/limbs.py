"""Unsigned integers of any width for compiled code: tuples of 64-bit limbs, lowest limb first.

Each operation becomes LLVM's own arithmetic on one wide integer, which every target turns into its
chains of add-with-carry and 64 x 64 -> 128 bit multiplications. Nothing here divides: LLVM leaves
wide division to a C library that need not be there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

Limb = np.uint64
Wide = tuple[np.uint64, ...]
#: True or false, from Python or from numpy.
Flag = bool | np.bool

_BITS = 64
_LIMB = ir.IntType(_BITS)


# numba's own types say that an intrinsic is called with its typing context; it is not.
_Typing = Callable[..., Any]


def _operation(typing: _Typing) -> Callable[[Wide, Wide], Wide]:
    return cast(Callable[[Wide, Wide], Wide], intrinsic(typing))


def _comparison(typing: _Typing) -> Callable[[Wide, Wide], Flag]:
    return cast(Callable[[Wide, Wide], Flag], intrinsic(typing))


def _shift(typing: _Typing) -> Callable[[Wide, Limb], Wide]:
    return cast(Callable[[Wide, Limb], Wide], intrinsic(typing))


def _count(typing: _Typing) -> Callable[[Limb], Limb]:
    return cast(Callable[[Limb], Limb], intrinsic(typing))


@_operation
def add(typing_context: Any, a: Any, b: Any) -> Any:
    """`a + b`, as wide as the wider of the two; what does not fit is lost."""
    return _of_both(a, b, lambda builder, x, y: builder.add(x, y))


@_operation
def subtract(typing_context: Any, a: Any, b: Any) -> Any:
    """`a - b`, as wide as the wider of the two; below zero it wraps."""
    return _of_both(a, b, lambda builder, x, y: builder.sub(x, y))


@_comparison
def less(typing_context: Any, a: Any, b: Any) -> Any:
    """Whether `a < b`."""
    return _compared(a, b, "<")


@_comparison
def equal(typing_context: Any, a: Any, b: Any) -> Any:
    """Whether `a == b`."""
    return _compared(a, b, "==")


@_operation
def multiply(typing_context: Any, a: Any, b: Any) -> Any:
    """`a * b` in full, as wide as both together."""
    width_a, width_b = _width(a), _width(b)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        limbs_a, limbs_b = (
            [builder.extract_value(value, i) for i in range(width)]
            for value, width in zip(arguments, (width_a, width_b), strict=True)
        )
        width = width_a + width_b
        total = ir.Constant(_wide(width), 0)
        for place, limb in enumerate(limbs_b):
            row = builder.zext(_row(builder, limbs_a, limb), _wide(width))
            total = builder.add(total, _shifted(builder, row, place))
        return _split(builder, total, width)

    return _limbs_type(width_a + width_b)(a, b), generate


@_shift
def shift_left(typing_context: Any, a: Any, bits: Any) -> Any:
    """`a << bits` for less than 64 bits, as wide as `a`; what does not fit is lost."""
    width = _width(a)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, by = arguments
        limbs = [builder.extract_value(value, i) for i in range(width)]
        below = [ir.Constant(_LIMB, 0), *limbs[:-1]]
        funnel = builder.module.declare_intrinsic(
            "llvm.fshl", [_LIMB], ir.FunctionType(_LIMB, [_LIMB] * 3)
        )
        return _tuple_of(
            builder,
            [builder.call(funnel, (high, low, by)) for high, low in zip(limbs, below, strict=True)],
        )

    return a(a, types.uint64), generate


@_count
def leading_zeros(typing_context: Any, limb: Any) -> Any:
    """The zero bits above the highest set bit of a limb; 64 where none is set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


def _of_both(a: Any, b: Any, operation: Callable[[Any, Any, Any], Any]) -> Any:
    width = max(_width(a), _width(b))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        operands = _joined(builder, signature, arguments, width)
        return _split(builder, operation(builder, *operands), width)

    return _limbs_type(width)(a, b), generate


def _compared(a: Any, b: Any, relation: str) -> Any:
    width = max(_width(a), _width(b))

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.icmp_unsigned(relation, *_joined(builder, signature, arguments, width))

    return types.boolean(a, b), generate


def _limbs_type(width: int) -> Any:
    return types.UniTuple(types.uint64, width)  # type: ignore[no-untyped-call]


def _width(limbs: Any) -> int:
    if not isinstance(limbs, types.UniTuple) or limbs.dtype != types.uint64:
        raise TypingError(f"expected a tuple of uint64 limbs, found {limbs}")
    return len(limbs)


def _wide(width: int) -> Any:
    return ir.IntType(_BITS * width)


def _shifted(builder: Any, value: Any, limbs: int) -> Any:
    return builder.shl(value, ir.Constant(value.type, _BITS * limbs)) if limbs else value


def _joined(builder: Any, signature: Any, arguments: Any, width: int) -> list[Any]:
    """The arguments as wide integers."""
    return [
        _join(builder, [builder.extract_value(value, i) for i in range(len(limbs))], width)
        for value, limbs in zip(arguments, signature.args, strict=True)
    ]


def _join(builder: Any, parts: list[Any], width: int) -> Any:
    """Parts of whole limbs, laid end to end in a wide integer, lowest first."""
    total, place = ir.Constant(_wide(width), 0), 0
    for part in parts:
        total = builder.or_(total, _shifted(builder, builder.zext(part, _wide(width)), place))
        place += part.type.width // _BITS
    return total


def _split(builder: Any, value: Any, width: int) -> Any:
    """A wide integer as a tuple of limbs."""
    limbs = []
    for place in range(width):
        shift = ir.Constant(value.type, _BITS * place)
        limbs.append(builder.trunc(builder.lshr(value, shift), _LIMB))
    return _tuple_of(builder, limbs)


def _tuple_of(builder: Any, limbs: list[Any]) -> Any:
    packed = ir.Constant(ir.ArrayType(_LIMB, len(limbs)), ir.Undefined)
    for place, limb in enumerate(limbs):
        packed = builder.insert_value(packed, limb, place)
    return packed


def _row(builder: Any, limbs: list[Any], by: Any) -> Any:
    """A wide integer times one limb, in one addition: neighbouring products overlap by a limb."""
    double, width = _wide(2), len(limbs) + 1
    products = [builder.mul(builder.zext(limb, double), builder.zext(by, double)) for limb in limbs]
    even = _join(builder, products[0::2], width + 1)
    odd = _shifted(builder, _join(builder, products[1::2], width + 1), 1)
    return builder.trunc(builder.add(even, odd), _wide(width))
