"""How much of a pool's fee its providers get."""

from __future__ import annotations


def providers_shares(fee_protocol: int) -> tuple[float, float]:
    """The providers' share of the fee on what comes in as token0, and as token1, in [0, 1].

    The protocol takes 1/n of it: n is the low four bits of the pool's `feeProtocol` for token0, the
    high four for token1, and 0 takes nothing (UniswapV3Pool.swap).
    """
    return _share(fee_protocol & 0xF), _share(fee_protocol >> 4)


def _share(protocol_denominator: int) -> float:
    return 1.0 if protocol_denominator == 0 else 1 - 1 / protocol_denominator
