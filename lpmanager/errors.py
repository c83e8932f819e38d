"""Every error lpmanager raises, and the exit code of each.

* LpmError (1)
  + UsageError (2)                 the command line asks for something impossible
  + ConfigError (3)                lpmanager.toml or .env is wrong
  + ChainError (4)                 the chain or its RPC says no, or cannot be believed
    - WrongChain                   the RPC serves another chain than the one configured
    - RpcUnavailable               nothing answers, or the answer is not JSON-RPC
    - CallReverted                 a contract call reverted; `data` holds its reason
    - TransactionFailed            a transaction was mined and reverted
    - MaybeSent                    nobody can say yet whether a transaction will be mined
    - Reorganised                  blocks that were read are no longer in the chain
    - EventsMissing                a node left out some of a contract's events
    - SignerUnavailable            the external signer does not answer, or does not want to sign
  + TokenRefused (4)               the token does not transfer what it is told to
  + GuardVeto (5)                  a guard stopped an action that was asked for by name
    - PlanRefused                  a plan file is expired, altered, stale or for somebody else
  + Halted (1)                     the manager stopped itself and a person must look
    - AlreadyHalted                a halt of the campaign stands in the store
    - BooksDoNotClose              postings and chain differ
    - JournalDamaged               a row of the journal is not as it was written
    - StrangersTransaction         somebody else signs for the account
    - SigningRefused               what was to be signed, or what came back signed, is not allowed
    - ClockDrift                   the chain is ahead of this machine's clock
  + StoreError (1)                 the database is damaged, foreign or newer than this program
  + MarketDataError (1)            a market file has a broken row; names the line

Raise the narrowest one. Messages say what, where, what was expected, what was found, and how to
mend it, in one line.
"""


class LpmError(Exception):
    """Base of everything lpmanager raises on purpose."""

    exit_code = 1


class UsageError(LpmError):
    """The command line asks for something that cannot be done as asked."""

    exit_code = 2


class ConfigError(LpmError):
    """The configuration is wrong; the message begins with the key's path."""

    exit_code = 3


class ChainError(LpmError):
    """The chain or its RPC refuses, contradicts itself or cannot be reached."""

    exit_code = 4


class WrongChain(ChainError):
    """The RPC serves another chain than the one configured."""


class RpcUnavailable(ChainError):
    """No answer, or an answer that is not JSON-RPC."""


class CallReverted(ChainError):
    """A contract call reverted. `data` is the raw revert data, possibly empty."""

    def __init__(self, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


class PlanOvertaken(ChainError):
    """The chain has moved on since the plan was made: its time or its price has passed."""


class TransactionFailed(ChainError):
    """A transaction was mined and reverted: it cost gas and changed nothing else."""


class MaybeSent(ChainError):
    """A signed transaction left this machine and its fate is unknown.

    Warning: it may still be mined. Nothing else may be signed until it is settled.
    """


class Reorganised(ChainError):
    """Blocks that were read are no longer in the chain, and with them what was read of them."""


class EventsMissing(ChainError):
    """The events that a node told cannot follow each other: it left some out."""


class SignerUnavailable(ChainError):
    """The external signer did not sign: it is silent, or it said no. Nothing was sent."""


class TokenRefused(ChainError):
    """The token takes a fee on transfer, rebases, or does not behave as an ERC-20."""


class GuardVeto(LpmError):
    """A guard stopped an action that a person asked for by name."""

    exit_code = 5


class PlanRefused(GuardVeto):
    """A plan is expired, altered, stale, or made for another chain or account."""


class Halted(LpmError):
    """The manager stopped itself; nothing more is signed until a person has looked."""


class AlreadyHalted(Halted):
    """The campaign was halted before, by itself or by a person, and nobody has lifted that yet."""


class BooksDoNotClose(Halted):
    """The sum of postings differs from what the chain holds."""


class JournalDamaged(Halted):
    """A row of the journal is not as it was written, or is gone."""


class StrangersTransaction(Halted):
    """The account's next nonce was used by something that this program did not sign."""


class SigningRefused(Halted):
    """A transaction is not on the allow-list, or a signer returned another one than was asked."""


class ClockDrift(Halted):
    """Blocks come from the future by this machine's clock. `head_at` is the time of the newest, in
    Unix seconds."""

    def __init__(self, message: str, head_at: int) -> None:
        super().__init__(message)
        self.head_at = head_at


class StoreError(LpmError):
    """The database is damaged, belongs to something else, or is newer than this program."""


class MarketDataError(LpmError):
    """A market file is malformed; the message names the file, the line and the column."""
