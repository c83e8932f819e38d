"""A desk that carries out plans on the real contracts, and whose journal says what is booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from builders import a_plan
from devnet_world import PRICE, World
from meddling import Meddling
from sqlalchemy import Engine
from whole_intents import whole_intents

from lpmanager.amm import sqrt_price_bounds
from lpmanager.chain.node import nonce_question
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import Intent
from lpmanager.execution.moves import Pace
from lpmanager.execution.sender import SendPolicy
from lpmanager.ledger.database import open_database
from lpmanager.ledger.journal import TransactionJournal, append_booked
from lpmanager.model import Action, Amount, Mint, Outcome, Plan, Swap, SwapPurpose, TickRange

USDC_RAW, WETH_RAW = 10**11, 5 * 10**19
LOW, HIGH = sqrt_price_bounds(PRICE, 100)
GWEI = 10**9
POLICY = SendPolicy(
    timeout_s=1.0,
    poll_s=0.01,
    confirmations=1,
    fees=FeePolicy(cap=1_000 * GWEI),
    pace=Pace(bump_after_s=36),
)


@dataclass
class PlanDesk:
    """100,000 USDC and 50 WETH in somebody's hands, and the account that signs for them."""

    world: World
    folder: Path
    policy: SendPolicy = POLICY
    stop: bool = False
    account: str = field(init=False)
    transport: Meddling = field(init=False)
    engine: Engine = field(init=False)
    journal: TransactionJournal = field(init=False)

    def __post_init__(self) -> None:
        self.transport = Meddling(self.world.backend.transport)
        self.engine = open_database(f"sqlite:///{self.folder / 'books.db'}")
        self.journal = TransactionJournal(self.engine, self.world.backend.chain_id)

    def plan(self, *actions: Action, **changes: object) -> Plan:
        head = self.world.node.head()
        ours: dict[str, object] = {
            "chain_id": self.world.backend.chain_id,
            "account": self.account,
            "nonce": self.world.node.ask(nonce_question(self.account, head)),
            "pool": self.world.pool.address,
            "block": head,
            "expires_at": head.timestamp + 600,
            "sqrt_price_min_x96": LOW,
            "sqrt_price_max_x96": HIGH,
        }
        return a_plan(*actions, **{**ours, **changes})

    def booked(self, outcome: Outcome) -> Outcome:
        """The outcome, once the journal says that the books hold it."""
        with self.engine.begin() as connection:
            append_booked(connection, [step.tx_hash for step in outcome.steps])
        return outcome

    def intents(self) -> list[Intent]:
        return whole_intents(self.engine, self.account, self.world.backend.chain_id)

    def open(self) -> list[Intent]:
        return self.journal.open_intents(self.account)

    def minting(self, tick_range: TickRange, minimum: tuple[int, int], share: int = 2) -> Mint:
        """A mint of that part of all that the desk began with."""
        pool = self.world.pool
        return Mint(
            range=tick_range,
            desired=pool.amounts(USDC_RAW // share, WETH_RAW // share),
            minimum=pool.amounts(*minimum),
        )

    def swap(self, raw_in: int = 10**9, minimum_out: int = 1) -> Swap:
        pool = self.world.pool
        return Swap(
            purpose=SwapPurpose.HEDGE,
            amount_in=Amount(pool.token0, raw_in),
            expected_out=Amount(pool.token1, minimum_out),
            minimum_out=Amount(pool.token1, minimum_out),
            sqrt_price_limit_x96=LOW,
        )
