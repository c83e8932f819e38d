"""What an owner orders: the calls that make, fund and command a vault, and what forbids each.

Nothing here signs. Neither a pool, an oracle or a token that misbehaves nor code that is not ours
keeps the owner from taking everything out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Question, code_question
from lpmanager.chain.vaults import require_ours
from lpmanager.desk.vault_bounds import require_within
from lpmanager.desk.vaults import VaultDesk, look
from lpmanager.errors import CallReverted, GuardVeto, UsageError
from lpmanager.execution.calldata import Call
from lpmanager.execution.deployment import (
    DEPLOYER,
    DEPLOYER_CODE,
    NewVault,
    creation_code,
    deploy_call,
    vault_address,
)
from lpmanager.execution.sender import simulate
from lpmanager.execution.vault_refusals import refusal_of
from lpmanager.model import (
    Amount,
    Amounts,
    PoolKey,
    Token,
    VaultBounds,
    amount_from_text_down,
)
from lpmanager.venues import erc20, liquidity_vault

_ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A call of the owner's. `require` raises GuardVeto where it makes no sense as things stand."""

    call: Call
    require: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A vault to be: where it will stand, and what makes it; no orders where it stands already."""

    address: str
    bounds: VaultBounds
    orders: tuple[Order, ...]


def deployment(desk: VaultDesk, operator: str, guardian: str, bounds: VaultBounds) -> Deployment:
    """A vault of the desk's owner in the campaign's pool.

    Raises UsageError where the campaign has a vault, GuardVeto where its bounds are too loose or
    its operator is its owner.
    """
    if desk.vault is not None:
        raise UsageError(
            f"campaign {desk.campaign} has vault {desk.vault}; give another its own campaign"
        )
    _require_another(operator, desk)
    require_within(bounds)
    made = NewVault(
        factory=desk.chain.uniswap_v3.factory,
        pool=desk.pool,
        owner=desk.owner,
        operator=operator,
        guardian=guardian,
        bounds=bounds,
    )
    creation = creation_code(made, own_artifact("LiquidityVault"))
    address = vault_address(creation)
    order = Order(call=deploy_call(creation), require=partial(_require_makeable, desk, creation))
    stands = bool(desk.node.ask(code_question(address, desk.node.head())))
    return Deployment(address=address, bounds=bounds, orders=() if stands else (order,))


def funding(desk: VaultDesk, texts: Sequence[str]) -> tuple[Order, ...]:
    """Transfers from the owner's account to the vault, of amounts such as "100 USDC", or "all
    USDC"."""
    vault, has = desk.require_vault(), look(desk).owners
    return tuple(
        Order(
            call=Call(
                what=f"fund vault {vault} with {amount}",
                to=amount.token.address,
                data=erc20.transfer(vault, amount.raw),
            ),
            require=partial(_require_fundable, desk, amount),
        )
        for amount in _amounts(desk.pool, texts, has)
    )


def withdrawals(desk: VaultDesk, texts: Sequence[str]) -> tuple[Order, ...]:
    """What takes idle tokens out to the owner, of amounts such as "100 USDC" or "all USDC"."""
    vault, idle = desk.require_vault(), look(desk).idle
    return tuple(
        Order(
            call=Call(
                what=f"withdraw {amount} from vault {vault}",
                to=vault,
                data=liquidity_vault.withdraw(amount.token.address, amount.raw, desk.owner),
            ),
            require=partial(_require_idle, desk, amount),
        )
        for amount in _amounts(desk.pool, texts, idle)
    )


def leaving(desk: VaultDesk, leave: str | None) -> tuple[Order, ...]:
    """What closes every position and takes everything out to the owner, but for a token that is
    left behind because its transfers are frozen."""
    vault, pool = desk.require_vault(), desk.pool
    left = None if leave is None else _token(pool, leave)
    wanted = [token.symbol for token in (pool.token0, pool.token1) if token != left]
    data = liquidity_vault.exit_all(
        desk.owner, want0=left != pool.token0, want1=left != pool.token1
    )
    what = f"exit vault {vault} with all {' and '.join(wanted)}"
    call = Call(what=what, to=vault, data=data)
    return (Order(call=call, require=partial(_require_owner, desk)),)


def pausing(desk: VaultDesk) -> tuple[Order, ...]:
    """What stops the operator. The guardian may call it too."""
    vault = desk.require_vault()
    call = Call(what=f"pause vault {vault}", to=vault, data=liquidity_vault.pause())
    return (Order(call=call, require=partial(_require_pausable, desk)),)


def unpausing(desk: VaultDesk) -> tuple[Order, ...]:
    """What lets the operator go on."""
    vault = desk.require_vault()
    call = Call(what=f"unpause vault {vault}", to=vault, data=liquidity_vault.unpause())
    return (Order(call=call, require=partial(_require_paused, desk)),)


def setting_operator(desk: VaultDesk, operator: str) -> tuple[Order, ...]:
    """What names another operator; the zero address leaves nobody but the owner. Raises GuardVeto
    where it would be the owner."""
    vault = desk.require_vault()
    _require_another(operator, desk)
    data = liquidity_vault.set_operator(operator)
    call = Call(what=f"set operator {operator} of vault {vault}", to=vault, data=data)
    return (Order(call=call, require=partial(_require_owner, desk)),)


def setting_bounds(
    desk: VaultDesk, change: Callable[[VaultBounds], VaultBounds]
) -> tuple[Order, ...]:
    """What sets the bounds, by a change of those that hold now. Raises GuardVeto where they would
    be looser than the contract takes."""
    vault, bounds = desk.require_vault(), change(look(desk).state.bounds)
    require_within(bounds)
    data = liquidity_vault.set_bounds(bounds)
    call = Call(what=f"set bounds of vault {vault}", to=vault, data=data)
    return (Order(call=call, require=partial(_require_owner, desk)),)


def rehearse(desk: VaultDesk, orders: Iterable[Order]) -> None:
    """Raise GuardVeto, with the reason in a sentence, where an order would revert at the newest
    block."""
    head = desk.node.head()
    for order in orders:
        order.require()
        try:
            simulate(desk.node, desk.owner, order.call, head)
        except CallReverted as error:
            raise refused(order.call.what, error) from error


def refused(what: str, error: CallReverted) -> GuardVeto:
    """The veto that says why something would revert."""
    return GuardVeto(f"{what}: would be refused: {refusal_of(error.data).sentence}")


# ---- what forbids an order ----


def _require_another(operator: str, desk: VaultDesk) -> None:
    if operator == desk.owner:
        raise GuardVeto(
            f"the operator would be the owner {desk.owner}: who steals the key that runs the vault "
            "could empty it; name another account"
        )


def _require_owner(desk: VaultDesk) -> None:
    owner = look(desk).state.owner
    if owner != desk.owner:
        raise GuardVeto(
            f"vault {desk.vault} is owned by {owner}, owner.address is {desk.owner}; only "
            "its owner may do this"
        )


def _require_pausable(desk: VaultDesk) -> None:
    state = look(desk).state
    if desk.owner not in (state.owner, state.guardian):
        raise GuardVeto(
            f"vault {state.address}: owner {state.owner} and guardian {state.guardian} may pause "
            f"it, owner.address is {desk.owner}"
        )
    if state.paused:
        raise GuardVeto(f"vault {state.address} is paused already")


def _require_paused(desk: VaultDesk) -> None:
    _require_owner(desk)
    if not look(desk).state.paused:
        raise GuardVeto(f"vault {desk.vault} is not paused")


def _require_fundable(desk: VaultDesk, amount: Amount) -> None:
    seen = look(desk)
    require_ours(desk.node, seen.state.address, seen.block)
    _require_there(amount, seen.owners, f"owner {desk.owner}", "")


def _require_idle(desk: VaultDesk, amount: Amount) -> None:
    _require_owner(desk)
    more = " outside positions; `lpm vault exit` takes everything out"
    _require_there(amount, look(desk).idle, f"vault {desk.vault}", more)


def _require_there(amount: Amount, has: Amounts, holder: str, more: str) -> None:
    there = _of(has, amount.token)
    if amount.raw > there.raw or amount.raw == 0:
        raise GuardVeto(f"{amount.token.symbol}: asked for {amount}, {holder} holds {there}{more}")


def _require_makeable(desk: VaultDesk, creation: bytes) -> None:
    """Ask the constructor itself: the deployer does not hand its reasons on."""
    head = desk.node.head()
    deployer = desk.node.ask(code_question(DEPLOYER, head))
    if deployer != DEPLOYER_CODE:
        found = "another contract" if deployer else "nothing"
        raise GuardVeto(
            f"{DEPLOYER}: expected the deterministic deployment proxy, found {found}; put it on "
            f"{desk.chain.name} first, as docs/vault.md says"
        )
    message = {"from": DEPLOYER, "data": "0x" + creation.hex()}
    try:
        desk.node.ask(Question("eth_call", [message, {"blockHash": head.hash}], str))
    except CallReverted as error:
        raise refused(f"a vault in {desk.pool}", error) from error


# ---- amounts as a person names them ----


def _amounts(pool: PoolKey, texts: Sequence[str], there: Amounts) -> list[Amount]:
    """The amounts that a person names; "all" is what is `there`. Digits beyond a token's decimals
    are cut off."""
    found: list[Amount] = []
    for text in texts:
        number, _, name = text.strip().partition(" ")
        token = _token(pool, name.strip())
        if token in [amount.token for amount in found]:
            raise UsageError(f"{text!r}: {token.symbol} is named twice")
        found.append(_of(there, token) if number == _ALL else _amount(token, number))
    return found


def _amount(token: Token, number: str) -> Amount:
    try:
        amount = amount_from_text_down(token, number)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if amount.raw <= 0:
        raise UsageError(f"{number} {token.symbol}: expected more than 0")
    return amount


def _token(pool: PoolKey, name: str) -> Token:
    token = pool.token_named(name)
    if token is not None:
        return token
    raise UsageError(
        f"{name!r} does not name one token of the pool; write an amount as in "
        f'"1.5 {pool.token0.symbol}" or "1.5 {pool.token1.symbol}", or use the token\'s address'
    )


def _of(amounts: Amounts, token: Token) -> Amount:
    return amounts.amount0 if amounts.amount0.token == token else amounts.amount1
