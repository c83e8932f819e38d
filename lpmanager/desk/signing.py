"""Who signs, on what terms, and under which locks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import make_url

from lpmanager.chain.presets import Chain
from lpmanager.chain.transport import HttpTransport
from lpmanager.cycle import Custody
from lpmanager.desk.markets import Market
from lpmanager.errors import ConfigError
from lpmanager.execution.allowed import AllowList
from lpmanager.execution.executor import REVOKE_WITHIN_S, Executor
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.keystore import is_private, read_password
from lpmanager.execution.moves import Pace
from lpmanager.execution.remote_signer import RemoteSigner, SignerKind
from lpmanager.execution.sender import Sender, SendPolicy
from lpmanager.execution.signer import (
    GuardedSigner,
    Signed,
    Signer,
    signer_from_clear_key,
    signer_from_keystore,
)
from lpmanager.execution.vault_allowed import OperatorAllowList
from lpmanager.execution.vault_custody import VaultExecutor
from lpmanager.execution.wallet_allowed import WalletAllowList
from lpmanager.ledger.by_hand import ByHand
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings, Signatory

#: How long a transaction is waited for after its deadline, at least and in blocks until it is
#: mined, and how often it is looked for in a block.
_LEAST_WAIT_S = 30.0
_WAIT_BLOCKS = 60
_POLLS_PER_BLOCK = 4
_LONGEST_POLL_S = 1.0

#: Seconds; more than any chain here takes to finalize a block. Rollups wait for Ethereum, which
#: takes 13 minutes when all is well, and are some minutes behind it.
_FINALIZED_WITHIN_S = 2_400

#: Blocks that a transaction's offer stands before it is raised.
_BUMP_AFTER_BLOCKS = 3
_WEI_PER_GWEI = 10**9


def state_folder() -> Path:
    """Where this user's programs keep what belongs to no configuration."""
    return Path.home() / ".local" / "state" / "lpmanager"


def lock_paths(settings: Settings, chain: Chain, account: str) -> frozenset[Path]:
    """The files whose locks keep two programs from signing for one account of a chain.

    One is in the user's state folder, so that it is the same whatever configuration, store or
    working directory a program has. The other is beside a SQLite store, for those who share that
    but not the folder: other users, other containers. Devnets have the latter alone: any number of
    them share a chain id and its accounts.
    """
    name = f"lpmanager-{chain.chain_id}-{account}.lock"
    folders = set() if chain.devnet else {state_folder()}
    store = make_url(settings.store)
    if store.get_backend_name() == "sqlite" and store.database:
        folders.add(Path(store.database).parent)
    # One file by one name: a program that locks it by two waits for itself.
    return frozenset(folder.resolve() / name for folder in folders)


def send_policy(settings: Settings, chain: Chain, within_s: int) -> SendPolicy:
    """How this configuration prices transactions on a chain and waits for them, where none has a
    deadline further away than `within_s`: whoever sends one is there to cancel it then."""
    table, block_time = settings.transactions, chain.block_time_s
    confirmations = table.confirmations or chain.confirmations
    final_s = _FINALIZED_WITHIN_S if confirmations == "finalized" else confirmations * block_time
    fallback = table.relay_fallback
    return SendPolicy(
        timeout_s=within_s + max(_LEAST_WAIT_S, float(_WAIT_BLOCKS * block_time + final_s)),
        poll_s=min(float(block_time) / _POLLS_PER_BLOCK, _LONGEST_POLL_S),
        confirmations=None if confirmations == "finalized" else confirmations,
        fees=FeePolicy(cap=int(table.max_fee_gwei * _WEI_PER_GWEI)),
        pace=Pace(
            bump_after_s=table.bump_after or math.ceil(_BUMP_AFTER_BLOCKS * block_time),
            public_after_s=None if fallback == "never" else fallback,
        ),
    )


def campaign_policy(settings: Settings, name: str, chain: Chain) -> SendPolicy:
    """How a campaign's transactions are priced and waited for."""
    table = settings.campaigns[name]
    return replace(
        send_policy(settings, chain, max(table.limits.plan_ttl_s, REVOKE_WITHIN_S)),
        owner_signs_too=ByHand(table.changed_by_hand) is ByHand.ADOPT,
    )


def open_custody(
    name: str,
    market: Market,
    ledger: Ledger,
    signer: Signer,
    policy: SendPolicy,
    stop_asked: Callable[[], bool],
) -> Custody:
    """Custody by the account that signs, or by the vault that it operates.

    A halt of the campaign keeps it from signing, and it signs nothing that is not on the campaign's
    allow-list.
    """
    may_sign = Diary(ledger.engine, name).require_running
    guarded = GuardedSigner(signer, _allowed(market, signer.address, policy.fees.cap), may_sign)
    journal = ledger.journal(market.chain.chain_id)
    sender = Sender(market.node, guarded, journal, policy, may_sign)
    native = market.chain.native
    if market.vault is not None:
        return VaultExecutor(market.node, market.vault, market.pool, native, sender, stop_asked)
    venue = market.chain.uniswap_v3
    return Executor(market.node, venue, market.pool, native, sender, stop_asked)


def _allowed(market: Market, account: str, max_fee: int) -> AllowList:
    """What the campaign's account may sign; `max_fee` is in wei per gas."""
    chain = market.chain
    if market.vault is not None:
        return OperatorAllowList(
            chain_id=chain.chain_id, account=account, vault=market.vault, max_fee=max_fee
        )
    return WalletAllowList(
        chain_id=chain.chain_id,
        account=account,
        venue=chain.uniswap_v3,
        pool=market.pool,
        max_fee=max_fee,
    )


@dataclass(frozen=True, slots=True)
class LockedSigner:
    """Signs while the locks of its account are held: `require_held` raises where they are not."""

    signer: Signer
    require_held: Callable[[], None]

    @property
    def address(self) -> str:
        return self.signer.address

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """As Signer."""
        self.require_held()
        return self.signer.sign(transaction)


def load_signer(who: Signatory, chain: Chain, ask_password: Callable[[], str]) -> Signer:
    """Who signs for a configured account. Raises ConfigError where the key is another's."""
    account = who.table
    if who.private_key is not None:
        key = who.private_key.get_secret_value()
        signer: Signer = signer_from_clear_key(
            key, devnet=chain.devnet, variable=f"{who.variable}PRIVATE_KEY"
        )
    elif account.signer_url is not None and account.signer_kind is not None:
        signer = remote_signer(who)
    elif account.keystore is not None:
        password = _password(who, ask_password)
        signer = signer_from_keystore(account.keystore, password, f"{who.key}.keystore")
        _warn_of_readers(account.keystore)
    else:
        raise ConfigError(
            f"{who.key}: nothing to sign with; make a keystore with `lpm keys new` and set "
            f"{who.key}.keystore, or set {who.key}.signer_url and {who.key}.signer_kind"
        )
    if signer.address != account.address:
        raise ConfigError(
            f"{who.key}.address: is {account.address}, but the key signs for {signer.address}"
        )
    return signer


def remote_signer(who: Signatory) -> RemoteSigner:
    """The external signer of an account. Raises ConfigError where none is configured."""
    account = who.table
    if account.signer_url is None or account.signer_kind is None:
        raise ConfigError(f"{who.key}.signer_url: missing")
    transport = HttpTransport(account.signer_url.get_secret_value(), account.signer_timeout)
    return RemoteSigner(
        transport=transport,
        kind=SignerKind(account.signer_kind),
        address=account.address,
        name=f"{account.signer_kind} at {transport.name}",
        key=who.key,
    )


def password_path(who: Signatory) -> tuple[str, Path] | None:
    """The setting that says where a keystore's password lies, and the file; None where it is to be
    typed. Raises ConfigError for a credential where systemd handed none over."""
    account = who.table
    if account.password_credential is not None:
        if who.credentials_folder is None:
            raise ConfigError(
                f"{who.key}.password_credential: $CREDENTIALS_DIRECTORY is not set; start lpm from "
                f"a systemd unit with LoadCredential={account.password_credential}:FILE, or set "
                f"{who.key}.password_file"
            )
        folder = who.credentials_folder
        return f"{who.key}.password_credential", folder / account.password_credential
    if account.password_file is not None:
        return f"{who.key}.password_file", account.password_file
    return None


def _password(who: Signatory, ask: Callable[[], str]) -> str:
    if who.keystore_password is not None:
        return who.keystore_password.get_secret_value()
    place = password_path(who)
    if place is None:
        return ask()
    key, path = place
    password = read_password(path, key)
    if path == who.table.password_file:  # what systemd hands over is systemd's to keep
        _warn_of_readers(path)
    return password


def _warn_of_readers(path: Path) -> None:
    """Not refused: where secrets are mounted into a container their modes are often not its own to
    choose, and positions would be left alone."""
    if not is_private(path):
        structlog.get_logger().warning("others may read a secret", mend=f"chmod 600 {path}")
