"""Products and quotients of unsigned integers whose rounding is part of the name."""

from __future__ import annotations

Q96 = 2**96
Q128 = 2**128
Q256 = 2**256


def mul_div_down(a: int, b: int, denominator: int) -> int:
    """`a * b / denominator`, rounded down. Raises ZeroDivisionError."""
    return a * b // denominator


def mul_div_up(a: int, b: int, denominator: int) -> int:
    """`a * b / denominator`, rounded up. Raises ZeroDivisionError."""
    return -(-a * b // denominator)


def div_up(a: int, denominator: int) -> int:
    """`a / denominator`, rounded up. Raises ZeroDivisionError."""
    return -(-a // denominator)
