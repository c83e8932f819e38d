"""What lpmanager.toml may hold: one frozen table per section, checked when it is read.

Amounts stay text here, because a token's decimals are known only once its contract was read;
shares are exact fractions, never binary floats. Read a file with `lpmanager.config.load`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from apscheduler.triggers.cron import CronTrigger
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from lpmanager.chain.presets import Chain, preset_tables, presets
from lpmanager.errors import ConfigError
from lpmanager.model import Token, amount_from_text_down
from lpmanager.risk.appetite import Adjustment, Appetite, HedgeTo, RegimesBy, WhereMissing
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Loan
from lpmanager.risk.heston.given import GivenHeston
from lpmanager.risk.heston.model import YearlyHeston
from lpmanager.risk.limits import Limits
from lpmanager.setting_types import (
    Address,
    AmountText,
    CodeHash,
    Correlation,
    FeePips,
    FileName,
    LocalPath,
    Moment,
    Positive,
    Seconds,
    Share,
    StoreUrl,
)
from lpmanager.venues.uniswap_v3 import UniswapV3

#: A head younger than this is fresh on every chain: clocks may differ by five seconds, blocks tell
#: whole ones, and an answer takes its time.
_LEAST_HEAD_AGE_S = 10
_HEAD_AGE_BLOCKS = 3

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Regime = Literal["calm", "usual", "turbulent"]
ContractKey = Literal[
    "factory", "position_manager", "swap_router", "quoter", "tick_lens", "wrapped_native"
]


class _Table(BaseModel):
    """Refuses unknown keys and never converts one type into another in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccountTable(_Table):
    """An account, and what signs for it: a keystore or an external signer, or none of them for dry
    runs.

    `password_credential` names a file in the folder that systemd hands over.
    """

    address: Address
    keystore: LocalPath | None = None
    password_file: LocalPath | None = None
    password_credential: FileName | None = None
    signer_url: SecretStr | None = None
    signer_kind: Literal["web3signer", "clef"] | None = None
    signer_timeout: Annotated[Seconds, Field(ge=1)] = 60

    @model_validator(mode="after")
    def _names_one_signer(self) -> Self:
        if (self.signer_url is None) != (self.signer_kind is None):
            raise ValueError('give both of signer_url and signer_kind ("web3signer" or "clef")')
        if self.signer_url is not None and self.keystore is not None:
            raise ValueError("give either keystore or signer_url")
        if self.password_file is not None and self.password_credential is not None:
            raise ValueError("give either password_file or password_credential")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """An account that may sign, with all that its signer is made of.

    `key` is the table's name in the file, `variable` what its variables in .env begin with.
    """

    key: Literal["account", "owner"]
    variable: str
    table: AccountTable
    private_key: SecretStr | None
    keystore_password: SecretStr | None
    credentials_folder: Path | None


class TransactionsTable(_Table):
    """How transactions are priced and when they count. Gas prices are in gwei.

    `confirmations` None means the chain's own number of blocks; `bump_after` None three blocks.
    What a private relay took and is not mined after `relay_fallback` goes to the public RPCs too; a
    cancellation does so at once.
    """

    max_fee_gwei: Positive = Fraction(100)
    confirmations: Annotated[int, Field(ge=1)] | Literal["finalized"] | None = None
    bump_after: Annotated[Seconds, Field(ge=1)] | None = None
    relay_fallback: Annotated[Seconds, Field(ge=1)] | Literal["never"] = "never"


class RpcTable(_Table):
    """How the RPCs of a chain are asked; their URLs are in .env.

    `quorum` None means more than half of a chain's RPCs. `timeout_s` is for one answer.
    """

    quorum: Annotated[int, Field(ge=1)] | None = None
    timeout_s: Positive = Fraction(10)


class ScheduleTable(_Table):
    """When `lpm run` makes a cycle: exactly one of the two."""

    every: Annotated[Seconds, Field(ge=1)] | None = None
    cron: str | None = None

    @field_validator("cron")
    @classmethod
    def _cron_is_known(cls, text: str | None) -> str | None:
        if text is not None:
            CronTrigger.from_crontab(text, timezone="UTC")
        return text

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.every is None) == (self.cron is None):
            raise ValueError('give exactly one of every = "10m" and cron = "*/10 * * * *"')
        return self


class LimitsTable(_Table):
    """Written limits. Amounts are in whole tokens: gas in the native coin, costs in the quote."""

    slippage_bps: Annotated[int, Field(ge=1, le=1_000)] = 50
    twap_window_s: Annotated[Seconds, Field(ge=1)] = 600
    #: 100,000 ticks are a factor of 22,000: a mean price that far off tells nothing.
    max_twap_deviation_ticks: Annotated[int, Field(ge=1, le=100_000)] = 100
    plan_ttl_s: Annotated[Seconds, Field(ge=1)] = 300
    max_head_age_s: Annotated[Seconds, Field(ge=1)] | None = None
    min_interval_s: Seconds = 600
    max_moves_per_day: Annotated[int, Field(ge=0)] = 6
    max_gas_per_day: AmountText = "0.05"
    max_swap_cost_per_day: AmountText
    max_loss_per_day: Share = Fraction(1, 10)
    max_pool_share: Share = Fraction(1, 5)
    max_step_ticks: Annotated[int, Field(ge=1)] = 2_000
    payback_horizon_s: Annotated[Seconds, Field(ge=1)] = 86_400
    history_s: Annotated[Seconds, Field(ge=1)] = 3_600
    hedge_band: Share = Fraction(1, 5)


class PegTable(_Table):
    """What one of a token should be worth in another; `lasting` is for how long it must have been
    further away than the share `tolerance` to count as failing."""

    value: Positive = Fraction(1)
    against: str
    tolerance: Annotated[Share, Field(gt=0, lt=1)] = Fraction(1, 100)
    lasting: Annotated[Seconds, Field(ge=1)] = 1_800

    def of(self, token: str) -> Peg:
        """The same for the rebalancer."""
        return Peg(
            token=token,
            against=self.against,
            value=float(self.value),
            tolerance=float(self.tolerance),
            for_s=self.lasting,
        )


class LenderTable(_Table):
    """Whole tokens by their symbols: what the owner lent, and what he owes to the same lender."""

    lent: dict[str, Positive] = {}
    owed: dict[str, Positive] = {}

    def of(self, lender: str) -> tuple[Loan, ...]:
        """The same for the rebalancer."""
        return tuple(
            Loan(lender=lender, token=token, amount=sign * float(amount))
            for sign, amounts in ((1, self.lent), (-1, self.owed))
            for token, amount in amounts.items()
        )


class RegimeTable(_Table):
    """What a regime of the market changes, each as a factor."""

    width: Annotated[Positive, Field(ge=1)] = Fraction(1)
    deploy: Share = Fraction(1)
    interval: Annotated[Positive, Field(ge=1)] = Fraction(1)
    hedge_band: Positive = Fraction(1)


class HestonTable(_Table):
    """Heston's model in years of 365 days, see `YearlyHeston`, and when the market was so: it is
    used from then on. Of a date that is its end."""

    v0: Positive
    theta: Positive
    kappa: Positive
    sigma: Positive
    rho: Correlation
    as_of: Moment
    max_age: Annotated[Seconds, Field(ge=1)] = 7 * 86_400

    @property
    def given(self) -> GivenHeston:
        """The same for the rebalancer; the time in whole seconds, rounded up."""
        yearly = YearlyHeston(
            v0=float(self.v0),
            theta=float(self.theta),
            kappa=float(self.kappa),
            sigma=float(self.sigma),
            rho=float(self.rho),
        )
        return GivenHeston(
            model=yearly.daily,
            fitted_at=math.ceil(self.as_of.timestamp()),
            max_age_s=self.max_age,
        )


class RiskTable(_Table):
    """Limits on estimates of risk; each is asked only where it is given."""

    missing: Literal["require", "ignore"] = "require"
    min_fee_to_lvr: Positive | None = None
    leave_below_fee_to_lvr: Positive | None = None
    max_toxic_share: Share | None = None
    leave_while_toxic: bool = False
    pause_after_jump: Annotated[Seconds, Field(ge=1)] | None = None
    max_crash_loss: Share | None = None
    max_cvar: Share | None = None
    max_vpin: Share | None = None
    min_twap_attack_cost: Positive | None = None
    max_concentration: Share | None = None
    min_stay_probability: Share | None = None
    min_width_to_swing: Positive | None = None
    act_at_capacity_used: Share | None = None
    must_at_capacity_used: Share | None = None
    reserve_at_budget_used: Share | None = None
    risk_aversion: Positive | None = None
    hedge_to: Literal["target", "edge", "least_cvar"] | None = None
    scenarios: Literal["lognormal", "heston"] = "lognormal"
    heston: HestonTable | None = None
    max_gas_to_fees: Positive | None = None
    max_share_in_token: Share | None = None
    max_share_in_pool: Share | None = None
    max_share_in_issuer: Share | None = None
    max_share_in_lender: Share | None = None
    leave_on_depeg: bool = False
    max_neighbour_age: Annotated[Seconds, Field(ge=1)] = 3_600
    max_base_fee_to_usual: Annotated[Positive, Field(ge=1)] | None = None
    min_healthy_rpcs: Annotated[int, Field(ge=1)] | None = None
    pause_after_change: Annotated[Seconds, Field(ge=1)] | None = None
    max_calibration_age: Annotated[Seconds, Field(ge=1)] = 86_400
    regimes_by: Literal["ewma", "markov"] = "ewma"
    regimes: dict[Regime, RegimeTable] = {}

    @model_validator(mode="after")
    def _does_not_come_and_go(self) -> Self:
        """What is left at one value is not placed at it."""
        for first, then in (
            ("leave_below_fee_to_lvr", "min_fee_to_lvr"),
            ("act_at_capacity_used", "must_at_capacity_used"),
        ):
            low, high = getattr(self, first), getattr(self, then)
            if low is not None and high is not None and low > high:
                raise ValueError(f"{first} must be at most {then}")
        return self

    @model_validator(mode="after")
    def _has_its_scenarios(self) -> Self:
        if self.scenarios == "heston" and self.heston is None:
            raise ValueError(
                'scenarios = "heston" needs the table heston; `lpm risk --option-chain FILE` tells '
                "one"
            )
        return self

    @property
    def appetite(self) -> Appetite:
        """The same for the rebalancer."""
        return Appetite(
            where_missing=WhereMissing(self.missing),
            min_fee_to_lvr=self.min_fee_to_lvr,
            leave_below_fee_to_lvr=self.leave_below_fee_to_lvr,
            max_toxic_share=self.max_toxic_share,
            leave_while_toxic=self.leave_while_toxic,
            pause_after_jump_s=self.pause_after_jump,
            max_crash_loss=self.max_crash_loss,
            max_cvar=self.max_cvar,
            max_vpin=self.max_vpin,
            min_twap_attack_cost=self.min_twap_attack_cost,
            max_concentration=self.max_concentration,
            min_stay_probability=self.min_stay_probability,
            min_width_to_swing=self.min_width_to_swing,
            act_at_capacity_used=self.act_at_capacity_used,
            must_at_capacity_used=self.must_at_capacity_used,
            reserve_at_budget_used=self.reserve_at_budget_used,
            risk_aversion=self.risk_aversion,
            hedge_to=None if self.hedge_to is None else HedgeTo(self.hedge_to),
            heston=self.heston.given if self.heston and self.scenarios == "heston" else None,
            max_gas_to_fees=self.max_gas_to_fees,
            max_share_in_token=self.max_share_in_token,
            max_share_in_pool=self.max_share_in_pool,
            max_share_in_issuer=self.max_share_in_issuer,
            max_share_in_lender=self.max_share_in_lender,
            leave_on_depeg=self.leave_on_depeg,
            max_neighbour_age_s=self.max_neighbour_age,
            max_base_fee_to_usual=self.max_base_fee_to_usual,
            min_healthy_rpcs=self.min_healthy_rpcs,
            pause_after_change_s=self.pause_after_change,
            max_calibration_age_s=self.max_calibration_age,
            regimes_by=RegimesBy(self.regimes_by),
            regimes={
                name: Adjustment(
                    width=table.width,
                    deploy=table.deploy,
                    interval=table.interval,
                    hedge_band=table.hedge_band,
                )
                for name, table in self.regimes.items()
            },
        )


class CampaignTable(_Table):
    """One managed allocation: a pool, a policy, a budget.

    Under custody by a vault all that the vault holds is the campaign's. `changed_by_hand` is what
    becomes of it where somebody else changed its positions or signed for its account.
    """

    pool: Address | None = None
    token0: Address | None = None
    token1: Address | None = None
    fee: FeePips | None = None
    quote: str
    policy: str
    chain: str | None = None
    target_weight: Share = Fraction(1, 2)
    custody: Literal["wallet", "vault"] = "wallet"
    vault: Address | None = None
    budget: dict[str, AmountText] | None = None
    positions: Annotated[tuple[int, ...], Field(strict=False)] | None = None
    native_pool: Address | None = None
    changed_by_hand: Literal["halt", "adopt"] = "halt"
    options: dict[str, Any] = {}
    limits: LimitsTable
    risk: RiskTable = RiskTable()

    @model_validator(mode="after")
    def _names_one_pool(self) -> Self:
        parts = (self.token0, self.token1, self.fee)
        if self.pool is not None and parts == (None, None, None):
            return self
        if self.pool is not None or None in parts:
            raise ValueError("give either pool, or all of token0, token1 and fee")
        if int(str(self.token0), 16) >= int(str(self.token1), 16):
            raise ValueError(
                "token0 must be the token with the lower address, as in the pool; swap token0 "
                "and token1"
            )
        return self

    @model_validator(mode="after")
    def _names_its_vault(self) -> Self:
        if self.custody == "wallet" and self.vault is not None:
            raise ValueError('vault is only used with custody = "vault"; add that line')
        if self.custody == "wallet":
            return self
        if self.vault is None:
            raise ValueError(
                'custody = "vault" needs vault = "0x..."; `lpm vault deploy` makes one and tells '
                "the line"
            )
        for name in ("budget", "positions"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"all that the vault holds is the campaign's; remove {name}, or the lines "
                    "custody and vault"
                )
        return self

    @property
    def pool_name(self) -> str:
        """The pool as the file names it: its address, or its tokens and fee."""
        return self.pool or f"{self.token0}/{self.token1} {self.fee} pips"

    def limits_for(self, chain: Chain, quote: Token) -> Limits:
        """The limits in raw units, now that the tokens are known. Amounts are rounded down."""
        table = self.limits
        return Limits(
            slippage_bps=table.slippage_bps,
            twap_window_s=table.twap_window_s,
            max_twap_deviation_ticks=table.max_twap_deviation_ticks,
            plan_ttl_s=table.plan_ttl_s,
            max_head_age_s=table.max_head_age_s or default_head_age_s(chain),
            min_interval_s=table.min_interval_s,
            max_moves_per_day=table.max_moves_per_day,
            max_gas_per_day_raw=amount_from_text_down(chain.native, table.max_gas_per_day).raw,
            max_swap_cost_per_day_raw=amount_from_text_down(quote, table.max_swap_cost_per_day).raw,
            max_loss_per_day=table.max_loss_per_day,
            max_pool_share=table.max_pool_share,
            max_step_ticks=table.max_step_ticks,
            payback_horizon_s=table.payback_horizon_s,
            history_s=table.history_s,
            hedge_band=table.hedge_band,
            target_weight=self.target_weight,
            appetite=self.risk.appetite,
        )


class UniswapV3Table(_Table):
    """The venue's contracts on a chain of your own."""

    factory: Address
    position_manager: Address
    swap_router: Address
    quoter: Address
    tick_lens: Address
    swap_router_has_deadline: bool


def _or_hashes_of_a_preset(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [
        {"required": schema.pop("required")},
        {"required": ["code_hashes"], "maxProperties": 1},
    ]


class ChainTable(_Table):
    """A chain that is not among the presets, or one of them with more `code_hashes`: those of its
    contracts' code, as `lpm doctor` tells them, by which it finds another contract at an address.
    """

    model_config = ConfigDict(json_schema_extra=_or_hashes_of_a_preset)

    chain_id: Annotated[int, Field(ge=1)]
    devnet: bool = False
    rpc_url: SecretStr | None = None
    block_time_s: Positive
    confirmations: Annotated[int, Field(ge=1)] = 1
    native_symbol: str
    wrapped_native: Address
    explorer: str | None = None
    uniswap_v3: UniswapV3Table
    code_hashes: dict[ContractKey, CodeHash] = {}

    def named(self, name: str) -> Chain:
        """This table as the Chain the rest of the program knows."""
        return Chain(
            name=name,
            chain_id=self.chain_id,
            devnet=self.devnet,
            native_symbol=self.native_symbol,
            wrapped_native=self.wrapped_native,
            block_time_s=self.block_time_s,
            confirmations=self.confirmations,
            explorer=self.explorer,
            uniswap_v3=UniswapV3(**self.uniswap_v3.model_dump()),
            code_hashes={key: known for key, known in self.code_hashes.items()},
        )


class Settings(_Table):
    """All of lpmanager.toml, with what .env and the environment add to it.

    `account` owns the positions or operates the vaults, `owner` is the vaults'. From `rpc_urls` on
    the fields never stand in the file; URLs are by chain name, and `rpc_urls` may hold
    several in one text; `credentials_folder` is where systemd put what password_credential names;
    `secret_files` are those of the configuration that hold secrets, each with the key of one.
    `issuers` and `pegs` are by the symbols of tokens, `lenders` by any name.
    """

    chain: str
    store: Annotated[StoreUrl, Field(repr=False)]
    account: AccountTable
    owner: AccountTable | None = None
    schedule: ScheduleTable | None = None
    transactions: TransactionsTable = TransactionsTable()
    rpc: RpcTable = RpcTable()
    campaigns: Annotated[dict[Name, CampaignTable], Field(min_length=1)]
    issuers: dict[str, str] = {}
    pegs: dict[str, PegTable] = {}
    lenders: dict[Name, LenderTable] = {}
    chains: dict[Name, ChainTable] = {}
    rpc_urls: SkipJsonSchema[dict[str, SecretStr]] = {}
    relay_urls: SkipJsonSchema[dict[str, SecretStr]] = {}
    private_key: SkipJsonSchema[SecretStr | None] = None
    keystore_password: SkipJsonSchema[SecretStr | None] = None
    owner_private_key: SkipJsonSchema[SecretStr | None] = None
    owner_keystore_password: SkipJsonSchema[SecretStr | None] = None
    credentials_folder: SkipJsonSchema[Path | None] = None
    secret_files: SkipJsonSchema[dict[Path, str]] = {}

    @field_validator("chains", mode="before")
    @classmethod
    def _completes_presets(cls, tables: object) -> object:
        """The file tells `code_hashes` alone of a preset; their form is checked afterwards."""
        if not isinstance(tables, dict):
            return tables
        return {
            name: _completed(name, table) if name in presets() else table
            for name, table in tables.items()
        }

    def account_signatory(self) -> Signatory:
        """The account that signs what campaigns do."""
        return Signatory(
            key="account",
            variable="LPM_",
            table=self.account,
            private_key=self.private_key,
            keystore_password=self.keystore_password,
            credentials_folder=self.credentials_folder,
        )

    def owner_signatory(self) -> Signatory:
        """The owner of the vaults. Raises ConfigError where the file names none."""
        if self.owner is None:
            raise ConfigError(
                "owner: missing; name the account that owns the vaults under [owner], at the least "
                "its address"
            )
        return Signatory(
            key="owner",
            variable="LPM_OWNER_",
            table=self.owner,
            private_key=self.owner_private_key,
            keystore_password=self.owner_keystore_password,
            credentials_folder=self.credentials_folder,
        )

    def signatories(self) -> tuple[Signatory, ...]:
        """The account, and the vaults' owner where the file names one."""
        both = [self.account_signatory()]
        return tuple(both if self.owner is None else [*both, self.owner_signatory()])

    def known_chains(self) -> Mapping[str, Chain]:
        """The presets and the file's own chains, by name."""
        return {**presets(), **{name: table.named(name) for name, table in self.chains.items()}}

    def chain_of(self, campaign: str) -> Chain:
        """The chain a campaign runs on: its own, or the file's."""
        return self.known_chains()[self.campaigns[campaign].chain or self.chain]

    def known_pegs(self) -> tuple[Peg, ...]:
        """What tokens should be worth, for the rebalancer."""
        return tuple(peg.of(token) for token, peg in self.pegs.items())

    def known_loans(self) -> tuple[Loan, ...]:
        """What is lent and owed beside all campaigns, for the rebalancer."""
        return tuple(loan for name, table in self.lenders.items() for loan in table.of(name))

    def max_head_age_s(self, chain: Chain) -> int:
        """How old a chain's head may be for the most patient of its campaigns."""
        own = [
            campaign.limits.max_head_age_s or default_head_age_s(chain)
            for name, campaign in self.campaigns.items()
            if self.chain_of(name) == chain
        ]
        return max(own, default=default_head_age_s(chain))


def _completed(name: str, table: object) -> object:
    match table:
        case {"code_hashes": dict(hashes), **more} if not more:
            preset = preset_tables()[name]
            return {**preset, "code_hashes": {**preset.get("code_hashes", {}), **hashes}}
    raise ValueError(
        f"{name} is a preset, of which the file may only tell code_hashes; give your own chain "
        "another name"
    )


def default_head_age_s(chain: Chain) -> int:
    """Three block times, and never less than ten seconds, rounded up."""
    return max(_LEAST_HEAD_AGE_S, math.ceil(_HEAD_AGE_BLOCKS * chain.block_time_s))
