"""The owner's hand: what the owner of a vault orders is signed, sent and seen through, once.

It goes the way of everything that is signed here: an allow-list, a simulation, the journal before
the send, one open intent for an account. What an earlier command left open comes first, and what it
did is not done again. The owner's are no campaign's: they are in no campaign's books, no halt of
one stops them, and what else the owner's account signs is the owner's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import nonce_question
from lpmanager.chain.presets import Chain
from lpmanager.desk.signing import send_policy
from lpmanager.desk.vault_calls import Order, refused
from lpmanager.desk.vaults import VaultDesk
from lpmanager.errors import CallReverted, GuardVeto, TransactionFailed
from lpmanager.execution.allowed import MOST_GAS, refuse
from lpmanager.execution.calldata import Call
from lpmanager.execution.deployment import DEPLOYER
from lpmanager.execution.intent import SETTLED, Purpose, Status
from lpmanager.execution.sender import Sender, SendPolicy, Settled
from lpmanager.execution.signer import GuardedSigner, Signer
from lpmanager.execution.vault_allowed import DeploymentAllowList, OwnerAllowList
from lpmanager.execution.whose import owners
from lpmanager.ledger.chains import note_genesis
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings

#: Seconds of block time after which a call that is not mined is cancelled.
ORDERS_WITHIN_S = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A transaction of the owner's that the chain has decided for good. `earlier` says that a
    command before this one sent it; `gas_paid` is in wei."""

    call: Call
    status: Status
    tx_hash: str
    block_number: int
    gas_paid: int
    earlier: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersList:
    """All that the owner may sign for a campaign: to deploy its vault, and to order and fund it.

    `orders` is None where the campaign has no vault yet.
    """

    chain_id: int
    account: str
    max_fee: int
    deployment: DeploymentAllowList
    orders: OwnerAllowList | None
    max_gas: int = MOST_GAS

    def require_call(self, to: str, data: bytes) -> None:
        """As AllowList."""
        if to == DEPLOYER:
            self.deployment.require_call(to, data)
        elif self.orders is not None:
            self.orders.require_call(to, data)
        else:
            refuse("contract", f"deployer {DEPLOYER}", to)


class OwnersHand:
    """Signs and sends for the owner of one campaign's vault. Hold the account's locks meanwhile.

    `tell` hears of every deed before it is noted as done with: whoever is killed in between hears
    of it again, and never not at all.
    """

    def __init__(
        self,
        desk: VaultDesk,
        sender: Sender,
        journal: TransactionJournal,
        tell: Callable[[Deed], None],
    ) -> None:
        self._desk = desk
        self._sender = sender
        self._journal = journal
        self._tell = tell

    def settle(self) -> list[Deed]:
        """See through what earlier commands left open. Raises MaybeSent where it still is."""
        left = self._sender.take_over(owners(self._desk.campaign))
        return self._conclude(left, earlier=True)

    def do(self, make: Callable[[], Sequence[Order]], settled: Iterable[Deed]) -> list[Deed]:
        """Send the calls that are made now, one after the other, and see them through, but for
        those that `settled` has already.

        Raises GuardVeto for what would revert, TransactionFailed where one was mined and reverted
        or cancelled, MaybeSent where one may still be mined.
        """
        did = [deed.call for deed in settled if deed.status is Status.FINAL]
        node = self._desk.node
        nonce = node.ask(nonce_question(self._sender.account, node.head()))
        veto = self._send_all([o for o in make() if not _is_among(o.call, did)], nonce)
        deeds = self._conclude(self._sender.finish(), earlier=False)
        if veto is not None:
            raise veto
        for deed in deeds:
            if deed.status is not Status.FINAL:
                raise TransactionFailed(f"{deed.call.what}: {deed.tx_hash} {deed.status}")
        return deeds

    def _send_all(self, orders: Iterable[Order], nonce: int) -> GuardVeto | None:
        """Why it stopped early, unless a transaction itself tells. `nonce` is the account's before
        the orders were made."""
        for order in orders:
            try:
                order.require()
                receipt = self._sender.send(self._purpose(order.call), nonce)
            except GuardVeto as veto:
                return veto
            except CallReverted as error:
                return refused(order.call.what, error)
            if not receipt.succeeded:
                return None
        return None

    def _purpose(self, call: Call) -> Purpose:
        head = self._desk.node.head()
        return Purpose(
            campaign=owners(self._desk.campaign),
            call=call,
            actions=(),
            deadline=head.timestamp + ORDERS_WITHIN_S,
            decided_block=head.number,
            decided_at=head.timestamp,
        )

    def _conclude(self, settled: Iterable[Settled], *, earlier: bool) -> list[Deed]:
        deeds = []
        for done in settled:
            deed = Deed(
                call=done.purpose.call,
                status=done.status,
                tx_hash=done.receipt.tx_hash,
                block_number=done.receipt.block_number,
                gas_paid=done.receipt.gas_paid,
                earlier=earlier,
            )
            self._tell(deed)
            self._close(deed)
            deeds.append(deed)
        return deeds

    def _close(self, deed: Deed) -> None:
        """Note that nothing is left to do for it: there are no books to write."""
        for intent in self._journal.open_intents(self._sender.account):
            ours = deed.tx_hash in {attempt.tx_hash for attempt in intent.attempts}
            if ours and intent.status in SETTLED:
                self._journal.note(intent, Status.BOOKED)


def owners_policy(settings: Settings, chain: Chain) -> SendPolicy:
    """How the owner's transactions are priced and waited for."""
    return replace(send_policy(settings, chain, ORDERS_WITHIN_S), owner_signs_too=True)


def owners_hand(
    settings: Settings,
    desk: VaultDesk,
    signer: Signer,
    ledger: Ledger,
    tell: Callable[[Deed], None],
) -> OwnersHand:
    """The hand that signs by `signer`; from the first time on, only on that very chain."""
    note_genesis(ledger.engine, desk.chain.chain_id, desk.node.genesis())
    policy = owners_policy(settings, desk.chain)
    journal = ledger.journal(desk.chain.chain_id)
    guarded = GuardedSigner(signer, _allowed(desk, signer.address, policy), _always)
    sender = Sender(desk.node, guarded, journal, policy, _always)
    return OwnersHand(desk, sender, journal, tell)


def _allowed(desk: VaultDesk, account: str, policy: SendPolicy) -> OwnersList:
    chain, cap = desk.chain, policy.fees.cap
    orders = None
    if desk.vault is not None:
        orders = OwnerAllowList(
            chain_id=chain.chain_id,
            account=account,
            vault=desk.vault,
            pool=desk.pool,
            recipient=account,
            max_fee=cap,
        )
    deployment = DeploymentAllowList(
        chain_id=chain.chain_id,
        account=account,
        creation=own_artifact("LiquidityVault").bytecode,
        factory=chain.uniswap_v3.factory,
        pool=desk.pool,
        owner=account,
        max_fee=cap,
    )
    return OwnersList(
        chain_id=chain.chain_id,
        account=account,
        max_fee=cap,
        deployment=deployment,
        orders=orders,
    )


def _always() -> None:
    """Nothing keeps the owner from signing."""


def _is_among(call: Call, done: Iterable[Call]) -> bool:
    return any((call.to, call.data) == (one.to, one.data) for one in done)
