"""Does a pool's token deliver exactly what is sent? Asked of the chain, before any deposit and now
and then while it is managed.

One `eth_call` carries the creation code of contracts/src/TokenProbe.sol. It borrows some of each
token from the pool by a flash loan, sends it back, measures both legs and undoes everything.
Nothing is deployed, signed or paid.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lpmanager.abi import Function, decode_values, revert_reason
from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Question
from lpmanager.errors import TokenRefused
from lpmanager.model import Block, PoolKey, Token, TokenCheck

_MEASURED = Function(
    "Measured(uint256,uint256,uint256,uint256)", "(uint256,uint256,uint256,uint256)"
)
_SELECTOR = _MEASURED.encode(0, 0, 0, 0)[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFinding:
    """What one token did, in raw units: `sent` by the pool and `received` by us, then `returned`
    by us and `arrived` at the pool."""

    token: Token
    sent: int
    received: int
    returned: int
    arrived: int

    @property
    def exact(self) -> bool:
        """Whether both legs delivered what was sent, and all of it could be sent back."""
        return self.sent == self.received == self.returned == self.arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """The token could not be checked, and why."""

    token: Token
    reason: str


Finding = TokenFinding | Unchecked


def token_probe_question(pool: PoolKey, at: Block) -> Question[tuple[Finding, Finding]]:
    """How both tokens of a pool behave, at a block hash; a node that refuses has checked neither.

    Warning: rebasing, and fees that depend on who sends, are not seen.
    """
    creation = own_artifact("TokenProbe").creation(
        ("address", "address", "address"),
        (pool.address, pool.token0.address, pool.token1.address),
    )
    return Question(
        "eth_call",
        [{"data": "0x" + creation.hex()}, {"blockHash": at.hash}],
        lambda result: _read_findings(pool, result),
        lambda refusal: _unchecked(pool, f"the RPC did not answer ({refusal})"),
    )


def require_exact(finding: Finding) -> None:
    """Raise TokenRefused unless the token was checked and delivered exactly what was sent."""
    refused = _refusal(finding)
    if refused is not None:
        raise TokenRefused(refused)


def checked(findings: Iterable[Finding], at: Block) -> TokenCheck:
    """The same for a snapshot, in words."""
    refused = [words for finding in findings if (words := _refusal(finding)) is not None]
    return TokenCheck(checked_at=at.timestamp, refused="; ".join(refused) or None)


def _refusal(finding: Finding) -> str | None:
    token = finding.token
    if isinstance(finding, Unchecked):
        return f"{token.symbol} ({token.address}) could not be checked: {finding.reason}"
    if not finding.exact:
        return (
            f"{token.symbol} ({token.address}) does not deliver what is sent: the pool sent "
            f"{finding.sent} and {finding.received} came, {finding.returned} of that went back "
            f"and {finding.arrived} arrived (raw units); fee-on-transfer tokens are not supported"
        )
    return None


def _read_findings(pool: PoolKey, result: Any) -> tuple[Finding, Finding]:
    tried0, data0, tried1, data1 = decode_values(
        "(bool,bytes,bool,bytes)", bytes.fromhex(result[2:]), "TokenProbe"
    )
    return _finding(pool.token0, tried0, data0), _finding(pool.token1, tried1, data1)


def _unchecked(pool: PoolKey, reason: str) -> tuple[Finding, Finding]:
    return Unchecked(token=pool.token0, reason=reason), Unchecked(token=pool.token1, reason=reason)


def _finding(token: Token, tried: bool, data: bytes) -> Finding:
    if not tried:
        return Unchecked(
            token=token,
            reason="the pool holds too little of it to lend; use a pool that holds liquidity",
        )
    if data[:4] != _SELECTOR:
        return Unchecked(
            token=token,
            reason=f"the pool's flash loan failed ({revert_reason(data)}); it has no liquidity, or "
            "the token refuses the transfer; use a pool that holds liquidity",
        )
    sent, received, returned, arrived = _MEASURED.decode(data[4:])
    return TokenFinding(
        token=token, sent=sent, received=received, returned=returned, arrived=arrived
    )
