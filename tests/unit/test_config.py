"""Reading lpmanager.toml and .env: exact values, safe defaults, mistakes by key."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.chain.presets import presets
from lpmanager.config import load, rpc_url
from lpmanager.errors import ConfigError
from lpmanager.model import Token
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Loan
from lpmanager.setting_types import fee_pips_from, seconds_from_text, without_password
from lpmanager.settings import CampaignTable, Settings, default_head_age_s

OWNER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
POOL = "0xd0b53D9277642d899DF5C87A3966A349A798F224"
LOW = "0x4200000000000000000000000000000000000006"
HIGH = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
EXAMPLE = Path(__file__).parents[2] / "lpmanager.example.toml"
SECRET = "https://rpc.example/key-123"
USDC = Token(chain_id=8453, address=HIGH, symbol="USDC", decimals=6)

HEAD = f"""
chain = "base"
store = "sqlite:///books.db"
[account]
address = "{OWNER}"
"""
CAMPAIGN = f"""
[campaigns.eth-usdc]
pool = "{POOL}"
quote = "USDC"
policy = "passive"
[campaigns.eth-usdc.limits]
max_swap_cost_per_day = "5"
"""
DEVNET = f"""
[chains.devnet]
chain_id = 31337
devnet = true
rpc_url = "http://127.0.0.1:8545"
block_time_s = 0.1
native_symbol = "ETH"
wrapped_native = "{LOW}"
[chains.devnet.uniswap_v3]
factory = "{POOL}"
position_manager = "{POOL}"
swap_router = "{POOL}"
swap_router_has_deadline = true
quoter = "{POOL}"
tick_lens = "{POOL}"
"""


@pytest.fixture(autouse=True)
def _no_variables_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "LPM_RPC_URL",
        "LPM_RPC_URL_BASE",
        "LPM_PRIVATE_KEY",
        "LPM_KEYSTORE_PASSWORD",
        "LPM_OWNER_PRIVATE_KEY",
        "LPM_OWNER_KEYSTORE_PASSWORD",
    ):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str, dotenv: str = "") -> Path:
    path = folder / "lpmanager.toml"
    path.write_text(text)
    (folder / ".env").write_text(dotenv)
    return path


def campaign(folder: Path, extra: str = "", limits: str = "") -> CampaignTable:
    text = CAMPAIGN.replace("[campaigns.eth-usdc.limits]", f"{extra}\n[campaigns.eth-usdc.limits]")
    return load(written(folder, HEAD + text + limits)).campaigns["eth-usdc"]


def mistakes(folder: Path, text: str, dotenv: str = "") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(folder, text, dotenv))
    return str(caught.value).splitlines()


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    settings = load(written(tmp_path, HEAD + CAMPAIGN))
    assert settings.chain_of("eth-usdc") == presets()["base"]
    assert settings.account.address == OWNER
    assert settings.schedule is None


def test_the_example_is_valid_once_the_account_is_filled_in(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    placeholder = "0x" + "0" * 40
    assert mistakes(tmp_path, text) == [
        f"account.address: the zero address is a placeholder; put a real one; found {placeholder!r}"
    ]
    settings = load(written(tmp_path, text.replace(placeholder, OWNER)))
    assert settings.schedule is not None
    assert settings.schedule.every == 600


def test_the_defaults_the_example_names_are_the_defaults(tmp_path: Path) -> None:
    section = EXAMPLE.read_text().split("limits]")[1].split("# What is asked of estimates")[0]
    named = re.findall(r"^# (\w+ = .+)$", section, flags=re.MULTILINE)
    assert len(named) == 14
    assert (
        campaign(tmp_path).limits
        == campaign(
            tmp_path, limits="\n".join(line for line in named if "max_head_age" not in line)
        ).limits
    )


def test_the_limits_of_risk_that_the_example_names_can_be_set(tmp_path: Path) -> None:
    """By default none of them is asked."""
    section = EXAMPLE.read_text().split("risk]\n")[1].split("# A chain of your own")[0]
    named = re.findall(r"^# (\w+ = .+|\[.+\])$", section, flags=re.MULTILINE)
    assert campaign(tmp_path).risk.appetite == Appetite()
    risk = "\n".join(['history_s = "12h"', "[campaigns.eth-usdc.risk]", *named])
    told = campaign(tmp_path, limits=risk).risk.appetite
    assert all(getattr(told, field.name) for field in fields(Appetite)), told
    assert told.where_missing is WhereMissing.REQUIRE
    assert told.pause_after_jump_s == 1_800
    assert told.regimes["turbulent"].width == 2


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            'min_fee_to_lvr = "1"\nleave_below_fee_to_lvr = "2"',
            "leave_below_fee_to_lvr must be at most min_fee_to_lvr",
        ),
        (
            'act_at_capacity_used = "0.95"\nmust_at_capacity_used = "0.8"',
            "act_at_capacity_used must be at most must_at_capacity_used",
        ),
    ],
)
def test_ranges_that_would_come_and_go_at_once_are_refused(
    tmp_path: Path, lines: str, message: str
) -> None:
    text = f"{HEAD}{CAMPAIGN}\n[campaigns.eth-usdc.risk]\n{lines}\n"
    (mistake,) = mistakes(tmp_path, text)
    assert message in mistake


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            '[campaigns.eth-usdc.risk]\nmax_share_in_issuer = "0.5"',
            "campaigns.eth-usdc.risk.max_share_in_issuer: no issuer is known",
        ),
        (
            '[campaigns.eth-usdc.risk]\nmax_share_in_lender = "0.5"',
            "campaigns.eth-usdc.risk.max_share_in_lender: no lender is known",
        ),
        ('[lenders.Aave]\nlent = { USDC = "0" }', "lenders.Aave.lent.USDC: expected more than 0"),
        (
            "[campaigns.eth-usdc.risk]\nleave_on_depeg = true",
            "campaigns.eth-usdc.risk.leave_on_depeg: no peg is known",
        ),
        ('[pegs.USDC]\nagainst = "USDC"', "pegs.USDC.against: a token is always worth itself"),
        ("[pegs.USDC]", "pegs.USDC.against: missing"),
        ('[pegs.USDC]\nagainst = "USDT"\ntolerance = "0"', "pegs.USDC.tolerance"),
        ('[pegs.USDC]\nagainst = "USDT"\ntolerance = "1"', "pegs.USDC.tolerance"),
        ('[pegs.USDC]\nagainst = "USDT"\nvalue = 0', "pegs.USDC.value: expected more than 0"),
        ('[pegs.USDC]\nagainst = "USDT"\nlastin = "1h"', "did you mean 'lasting'?"),
    ],
)
def test_what_nothing_is_known_of_is_not_limited(tmp_path: Path, lines: str, message: str) -> None:
    (mistake,) = mistakes(tmp_path, f"{HEAD}{CAMPAIGN}\n{lines}\n")
    assert message in mistake


@pytest.mark.parametrize(
    ("pause", "history", "needed"),
    [("30m", "11h", 12), ("6h", "11h", 12), ("12h", "17h", 18), ("12h", "1d", None)],
)
def test_a_pause_after_jumps_needs_a_history_in_which_jumps_can_be_found(
    tmp_path: Path, pause: str, history: str, needed: int | None
) -> None:
    limits = f'history_s = "{history}"\n[campaigns.eth-usdc.risk]\npause_after_jump = "{pause}"'
    text = f"{HEAD}{CAMPAIGN}{limits}\n"
    if needed is None:
        load(written(tmp_path, text))
        return
    (mistake,) = mistakes(tmp_path, text)
    assert "campaigns.eth-usdc.risk.pause_after_jump" in mistake
    assert f'limits.history_s = "{needed}h" at least' in mistake


def test_a_peg_is_one_for_one_within_a_hundredth_for_half_an_hour_by_default(
    tmp_path: Path,
) -> None:
    lines = '[pegs.USDC]\nagainst = "USDT"\n[pegs.stETH]\nagainst = "WETH"\nvalue = "1.1"\n'
    settings = load(written(tmp_path, f"{HEAD}{CAMPAIGN}\n{lines}"))
    assert settings.known_pegs() == (
        Peg(token="USDC", against="USDT", value=1.0, tolerance=0.01, for_s=1_800),
        Peg(token="stETH", against="WETH", value=1.1, tolerance=0.01, for_s=1_800),
    )


def test_what_is_owed_to_a_lender_is_a_loan_below_nothing(tmp_path: Path) -> None:
    lines = '[lenders.Aave]\nlent = { USDC = "5000.5" }\nowed = { WETH = 1 }\n'
    settings = load(written(tmp_path, f"{HEAD}{CAMPAIGN}\n{lines}"))
    assert settings.known_loans() == (
        Loan(lender="Aave", token="USDC", amount=5_000.5),
        Loan(lender="Aave", token="WETH", amount=-1.0),
    )


def test_decimals_never_pass_through_a_binary_float(tmp_path: Path) -> None:
    assert campaign(tmp_path, "target_weight = 0.1").target_weight == Fraction(1, 10)
    assert campaign(tmp_path, 'target_weight = "0.1"').target_weight == Fraction(1, 10)
    found = campaign(tmp_path, "budget = { WETH = 0.123456789012345678, USDC = 1000 }").budget
    assert found == {"WETH": "0.123456789012345678", "USDC": "1000"}
    options = campaign(tmp_path, "options = { recentre_at = 0.1, half_width_ticks = 60 }").options
    assert options == {"recentre_at": Decimal("0.1"), "half_width_ticks": 60}


def test_limits_are_raw_units_of_the_tokens_rounded_down(tmp_path: Path) -> None:
    table = campaign(tmp_path, limits='max_gas_per_day = "0.1"').model_copy()
    limits = table.limits_for(presets()["base"], USDC)
    assert limits.max_gas_per_day_raw == 10**17
    assert limits.max_swap_cost_per_day_raw == 5_000_000
    assert limits.target_weight == Fraction(1, 2)
    fine = campaign(tmp_path, limits="").limits.model_copy(
        update={"max_swap_cost_per_day": "0.0000019"}
    )
    assert (
        table.model_copy(update={"limits": fine})
        .limits_for(presets()["base"], USDC)
        .max_swap_cost_per_day_raw
        == 1
    )


def test_the_head_may_be_three_blocks_old_and_never_less_than_ten_seconds(
    tmp_path: Path,
) -> None:
    assert default_head_age_s(presets()["ethereum"]) == 36
    assert default_head_age_s(presets()["base"]) == 10
    assert default_head_age_s(presets()["arbitrum"]) == 10
    own = campaign(tmp_path, limits="max_head_age_s = 7")
    assert own.limits_for(presets()["ethereum"], USDC).max_head_age_s == 7


def test_paths_are_meant_from_the_file_s_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = HEAD + 'keystore = "keys/one.json"\npassword_file = "/etc/secret"\n'
    path = written(tmp_path, head + CAMPAIGN)
    monkeypatch.chdir("/")
    settings = load(path)
    assert settings.account.keystore == tmp_path / "keys/one.json"
    assert settings.account.password_file == Path("/etc/secret")
    assert settings.store == f"sqlite:///{tmp_path}/books.db"


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('quote = "USDC"', 'qoute = "USDC"', "campaigns.eth-usdc.quote: missing"),
        (
            'quote = "USDC"',
            'quote = "USDC"\nplicy = "x"',
            "campaigns.eth-usdc.plicy: unknown key; did you mean 'policy'?",
        ),
        (
            "max_swap_cost",
            "slipage_bps = 5\nmax_swap_cost",
            "campaigns.eth-usdc.limits.slipage_bps: unknown key; did you mean 'slippage_bps'?",
        ),
        (
            "max_swap_cost",
            'slippage_bps = "50"\nmax_swap_cost',
            "campaigns.eth-usdc.limits.slippage_bps: expected a whole number, found '50'",
        ),
        (
            "max_swap_cost",
            "slippage_bps = 0\nmax_swap_cost",
            "campaigns.eth-usdc.limits.slippage_bps: should be greater than or equal to 1; found 0",
        ),
        (
            "max_swap_cost",
            "max_twap_deviation_ticks = 10000000\nmax_swap_cost",
            "campaigns.eth-usdc.limits.max_twap_deviation_ticks: should be less than or equal to "
            "100000; found 10000000",
        ),
        (
            "max_swap_cost",
            "hedge_band = 1.01\nmax_swap_cost",
            "campaigns.eth-usdc.limits.hedge_band: a share is between 0 and 1; found 1.01",
        ),
        (
            'per_day = "5"',
            'per_day = "-5"',
            "campaigns.eth-usdc.limits.max_swap_cost_per_day: an amount cannot be negative; "
            "found '-5'",
        ),
        (
            'per_day = "5"',
            "per_day = nan",
            "campaigns.eth-usdc.limits.max_swap_cost_per_day: expected a decimal number such as "
            '0.5 or "0.5"; found NaN',
        ),
        (
            "[campaigns.eth-usdc]",
            "[schedule]\nevry = 5\n[campaigns.eth-usdc]",
            "schedule.evry: unknown key; did you mean 'every'?",
        ),
        ('"base"', '"bsae"', "chain: there is no chain 'bsae'; did you mean 'base'?"),
        (
            POOL,
            POOL.replace("d0b", "d0B"),
            "campaigns.eth-usdc.pool: the checksum of this address is wrong; copy it again; found "
            f"'{POOL.replace('d0b', 'd0B')}'",
        ),
        (
            f'pool = "{POOL}"',
            "",
            "campaigns.eth-usdc: give either pool, or all of token0, token1 and fee",
        ),
        (
            f'pool = "{POOL}"',
            f'token0 = "{HIGH}"\ntoken1 = "{LOW}"\nfee = 500',
            "campaigns.eth-usdc: token0 must be the token with the lower address, as in the pool; "
            "swap token0 and token1",
        ),
        (
            "[campaigns.eth-usdc]",
            '[schedule]\nevery = "10m"\ncron = "* * * * *"\n[campaigns.eth-usdc]',
            'schedule: give exactly one of every = "10m" and cron = "*/10 * * * *"',
        ),
        (
            "[campaigns.eth-usdc]",
            '[schedule]\ncron = "* * *"\n[campaigns.eth-usdc]',
            "schedule.cron: Wrong number of fields; got 3, expected 5; found '* * *'",
        ),
        ("sqlite:///", "mysql://", 'store: expected a database URL such as "sqlite:///lpmanager'),
    ],
)
def test_a_mistake_is_one_line_that_begins_with_its_key(
    tmp_path: Path, old: str, new: str, mistake: str
) -> None:
    text = HEAD + CAMPAIGN
    assert old in text
    found = mistakes(tmp_path, text.replace(old, new))
    assert found[0].startswith(mistake)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = (HEAD + CAMPAIGN).replace('"passive"', "3").replace('"USDC"', "true")
    assert mistakes(tmp_path, text) == [
        'campaigns.eth-usdc.quote: expected a text in "quotes", found true',
        'campaigns.eth-usdc.policy: expected a text in "quotes", found 3',
    ]


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file"):
        load(tmp_path / "nowhere.toml")
    assert "not valid TOML" in mistakes(tmp_path, "chain = ")[0]


def test_one_pool_is_managed_once(tmp_path: Path) -> None:
    second = CAMPAIGN.replace("eth-usdc", "again").replace(POOL, POOL.lower())
    assert mistakes(tmp_path, HEAD + CAMPAIGN + second) == [
        f"campaigns.again: manages pool {POOL} on base, which campaigns.eth-usdc already does; "
        "keep one of them"
    ]


def test_the_same_pool_address_on_two_chains_is_two_pools(tmp_path: Path) -> None:
    second = CAMPAIGN.replace("eth-usdc", "again").replace("quote =", 'chain = "polygon"\nquote =')
    settings = load(written(tmp_path, HEAD + CAMPAIGN + second))
    assert settings.chain_of("again").name == "polygon"


def test_a_chain_of_one_s_own_works_like_a_preset(tmp_path: Path) -> None:
    text = (HEAD + CAMPAIGN + DEVNET).replace('chain = "base"', 'chain = "devnet"')
    settings = load(written(tmp_path, text))
    chain = settings.chain_of("eth-usdc")
    assert (chain.chain_id, chain.devnet, chain.block_time_s) == (31337, True, Fraction(1, 10))
    assert rpc_url(settings, chain) == "http://127.0.0.1:8545"


FORK = DEVNET.replace("31337", "8453").replace("chains.devnet", "chains.fork")


def test_a_devnet_may_be_a_fork_of_a_preset_on_this_machine(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "127.1.2.3", "[::1]", "localhost"):
        fork = FORK.replace("127.0.0.1", host)
        assert load(written(tmp_path, HEAD + CAMPAIGN + fork)).known_chains()["fork"].devnet


@pytest.mark.parametrize(
    ("fork", "dotenv", "variable", "place"),
    [
        (FORK.replace("http://127.0.0.1:8545", SECRET), "", "chains.fork.rpc_url", 1),
        (FORK, f"LPM_RPC_URL_FORK=http://127.0.0.1:8545,{SECRET}\n", "LPM_RPC_URL_FORK", 2),
        (FORK, f"LPM_RELAY_URL_FORK={SECRET}\n", "LPM_RELAY_URL_FORK", 1),
        (FORK, "LPM_RPC_URL_FORK=http://10.0.0.7:8545\n", "LPM_RPC_URL_FORK", 1),
    ],
)
def test_what_a_devnet_signs_cannot_leave_this_machine_where_a_preset_would_take_it(
    tmp_path: Path, fork: str, dotenv: str, variable: str, place: int
) -> None:
    (line,) = mistakes(tmp_path, HEAD + CAMPAIGN + fork, dotenv)
    assert line == (
        "chains.fork.devnet: chain id 8453 is base's, and the URL in place "
        f"{place} of {variable} is not on this machine, so what is signed would be valid on base; "
        'fork it at http://127.0.0.1, or write chain = "base"'
    )


def test_a_devnet_of_its_own_chain_id_may_be_on_another_machine(tmp_path: Path) -> None:
    devnet = DEVNET.replace("http://127.0.0.1:8545", SECRET)
    assert load(written(tmp_path, HEAD + CAMPAIGN + devnet)).known_chains()["devnet"].devnet


def test_a_preset_cannot_be_redefined(tmp_path: Path) -> None:
    text = HEAD + CAMPAIGN + DEVNET.replace("chains.devnet", "chains.base")
    assert mistakes(tmp_path, text) == [
        "chains: base is a preset, of which the file may only tell code_hashes; give your own "
        "chain another name"
    ]
    hashes = f'[chains.base.code_hashes]\nquoter = "0x{"AB" * 32}"\n'
    (line,) = mistakes(tmp_path, f"{HEAD}{CAMPAIGN}[chains.base]\nchain_id = 5\n{hashes}")
    assert line.startswith("chains: base is a preset")


def test_the_code_of_a_preset_s_contracts_may_be_told_by_its_hashes(tmp_path: Path) -> None:
    hashes = f'[chains.base.code_hashes]\nquoter = "0x{"AB" * 32}"\n'
    settings = load(written(tmp_path, HEAD + CAMPAIGN + hashes))
    base = presets()["base"]
    assert settings.chain_of("eth-usdc") == replace(
        base, code_hashes={**base.code_hashes, "quoter": f"0x{'ab' * 32}"}
    )
    assert load(written(tmp_path, HEAD + CAMPAIGN)).chain_of("eth-usdc") == base
    (line,) = mistakes(tmp_path, HEAD + CAMPAIGN + hashes.replace("quoter", "qouter"))
    assert line.startswith("chains.base.code_hashes.qouter: ")
    (line,) = mistakes(tmp_path, HEAD + CAMPAIGN + hashes.replace("AB", "A"))
    assert line.startswith("chains.base.code_hashes.quoter: expected a hash")


def test_the_json_schema_knows_both_kinds_of_chain() -> None:
    chain = Settings.model_json_schema(mode="serialization")["$defs"]["ChainTable"]
    own, of_preset = chain["anyOf"]
    assert {"chain_id", "uniswap_v3"} <= set(own["required"])
    assert of_preset == {"required": ["code_hashes"], "maxProperties": 1}
    assert "required" not in chain


def test_the_rpc_url_comes_from_env_and_the_process_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, HEAD + CAMPAIGN, f"LPM_RPC_URL={SECRET}\n")
    assert rpc_url(load(path), presets()["base"]) == SECRET
    monkeypatch.setenv("LPM_RPC_URL", "http://other")
    assert rpc_url(load(path), presets()["base"]) == "http://other"
    monkeypatch.setenv("LPM_RPC_URL_BASE", "http://named")
    assert rpc_url(load(path), presets()["base"]) == "http://named"


def test_the_default_rpc_url_is_for_the_file_s_chain_only(tmp_path: Path) -> None:
    settings = load(written(tmp_path, HEAD + CAMPAIGN, f"LPM_RPC_URL={SECRET}\n"))
    with pytest.raises(ConfigError, match="LPM_RPC_URL_POLYGON: missing"):
        rpc_url(settings, presets()["polygon"])


def test_an_empty_variable_is_an_absent_one(tmp_path: Path) -> None:
    settings = load(written(tmp_path, HEAD + CAMPAIGN, "LPM_RPC_URL=\nLPM_PRIVATE_KEY=\n"))
    assert settings.private_key is None
    with pytest.raises(ConfigError, match="LPM_RPC_URL: missing; put the RPC URL of base"):
        rpc_url(settings, presets()["base"])


def test_a_misspelt_variable_in_env_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, HEAD + CAMPAIGN, "LPM_RPC_URL_BSAE=http://x\nPATH=/bin\n") == [
        "LPM_RPC_URL_BSAE: no such variable; did you mean 'LPM_RPC_URL_BASE'?; correct .env"
    ]


def test_a_secret_in_the_file_is_refused_without_being_shown(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, 'private_key = "0xabc"\n' + HEAD + CAMPAIGN)
    assert line == "private_key: secrets belong in .env, not in lpmanager.toml"


def test_secrets_are_masked_wherever_settings_are_shown(tmp_path: Path) -> None:
    dotenv = f"LPM_RPC_URL={SECRET}\nLPM_PRIVATE_KEY=0xabc\nLPM_KEYSTORE_PASSWORD=hunter2\n"
    head = HEAD.replace("sqlite:///books.db", "postgresql+psycopg://me:hunter2@host/books")
    settings = load(written(tmp_path, head + CAMPAIGN + DEVNET, dotenv))
    assert settings.private_key is not None
    assert settings.private_key.get_secret_value() == "0xabc"
    for shown in (settings.model_dump_json(), repr(settings)):
        assert not re.search("key-123|0xabc|hunter2|127.0.0.1", shown)


def test_a_refused_store_url_does_not_show_its_password(tmp_path: Path) -> None:
    text = (HEAD + CAMPAIGN).replace("sqlite:///books.db", "mysql://me:hunter2@host/books")
    (line,) = mistakes(tmp_path, text)
    assert "mysql://me:**********@host/books" in line


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://me:hunter2@host:5432x/books",
        "postgresql://me:hunter@2@host/books",
        "postgresql://me:hun@12:ter2@host/books",
        "postgresqlx",
        "postgresqlx://me:hunter2@host/books",
        "postgresql+hunter2://host/books",
    ],
)
def test_a_store_that_is_no_url_of_a_database_is_told_without_showing_it(
    tmp_path: Path, store: str
) -> None:
    text = (HEAD + CAMPAIGN).replace("sqlite:///books.db", store)
    assert mistakes(tmp_path, text) == [
        'store: not the URL of a database; write "sqlite:///lpmanager.db", or '
        '"postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME" with %40 for an @ in the password'
    ]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:hun@12:ter2@host/books",
        "mysql://me@host:hunter2@host/books",
        "mysql://me:hunter2/ter2@host/books",
        "mysql://host/books?user=me&password=hunter2",
        "mysql://host/books?password=ter2&user=me",
    ],
)
def test_no_part_of_a_password_is_left_when_it_is_masked(url: str) -> None:
    shown = without_password(f"found {url!r}")
    assert shown.startswith("found 'mysql://")
    assert not re.search("hun|ter2", shown)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(written(tmp_path, HEAD + CAMPAIGN))
    with pytest.raises(ValueError, match="frozen"):
        settings.chain = "polygon"


def test_the_json_schema_knows_every_key_and_no_secret() -> None:
    schema = Settings.model_json_schema(mode="serialization")
    assert set(schema["properties"]) == {
        "chain",
        "store",
        "account",
        "owner",
        "schedule",
        "transactions",
        "rpc",
        "campaigns",
        "issuers",
        "pegs",
        "lenders",
        "chains",
    }
    limits = schema["$defs"]["LimitsTable"]["properties"]
    assert limits["hedge_band"]["default"] == "0.2"


@given(st.integers(0, 9), st.integers(0, 99), st.integers(0, 99), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(d: int, h: int, m: int, s: int) -> None:
    total = ((d * 24 + h) * 60 + m) * 60 + s
    assert seconds_from_text(f"{d}d{h}h{m}m{s}s") == total
    assert seconds_from_text(total) == total


@pytest.mark.parametrize("wrong", ["", "10", "10x", "m", "1m1h", -1, True, Decimal("1.5"), "1.5h"])
def test_what_is_no_duration_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        seconds_from_text(wrong)


@given(st.integers(1, 999_999))
def test_a_fee_in_percent_is_the_same_in_pips(pips: int) -> None:
    assert fee_pips_from(f"{Decimal(pips) / 10_000}%") == fee_pips_from(pips) == pips


@pytest.mark.parametrize("wrong", [0, 1_000_000, "0.00001%", "100%", Decimal("0.05"), True, "500"])
def test_a_fee_that_is_ambiguous_or_impossible_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="fee"):
        fee_pips_from(wrong)


HESTON = 'v0 = "0.36"\ntheta = "0.49"\nkappa = "2"\nsigma = "0.8"\nrho = "-0.3"'


def test_hestons_model_is_told_in_years_and_used_by_the_day(tmp_path: Path) -> None:
    risk = '\n[campaigns.eth-usdc.risk]\nscenarios = "heston"\n[campaigns.eth-usdc.risk.heston]\n'
    given = campaign(tmp_path, limits=f"{risk}{HESTON}\nas_of = 2024-06-28").risk.appetite.heston
    assert given is not None
    assert given.model.mean * 365 == pytest.approx(0.49)
    assert (given.fitted_at, given.max_age_s) == (1_719_532_800 + 86_400, 7 * 86_400)
    as_text = campaign(tmp_path, limits=f'{risk}{HESTON}\nas_of = "2024-06-28"').risk
    assert as_text.appetite.heston == given
    for time in ("2024-06-28T14:30:00Z", "2024-06-28T16:30:00.5+02:00"):
        timed = campaign(tmp_path, limits=f"{risk}{HESTON}\nas_of = {time}").risk.appetite.heston
        assert timed is not None
        assert timed.fitted_at == 1_719_585_000 + (".5" in time)
    kept = risk.replace('scenarios = "heston"', "") + f"{HESTON}\nas_of = 2024-06-28"
    assert campaign(tmp_path, limits=kept).risk.appetite.heston is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('scenarios = "heston"', 'scenarios = "heston" needs the table heston'),
        ('hedge_to = "middle"', "hedge_to"),
        (
            f"heston = {{ {HESTON.replace('-0.3', '-1.3')}, as_of = 2024-06-28 }}",
            "between -1 and 1",
        ),
        (f"heston = {{ {HESTON}, as_of = '28 June' }}", "or a date such as 2024-06-28"),
        (f"heston = {{ {HESTON}, as_of = 2024-06-28T14:30:00 }}", "a time with its zone"),
        (f"heston = {{ {HESTON} }}", "as_of: missing"),
        (
            f"heston = {{ {HESTON.replace('0.36', '0')}, as_of = 2024-06-28 }}",
            "expected more than 0",
        ),
        (
            f"heston = {{ {HESTON.replace('0.8', '1e-400')}, as_of = 2024-06-28 }}",
            "heston.sigma: a number that is not 0 is between 1e-100 and 1e100 in size",
        ),
        (
            f"heston = {{ {HESTON.replace('0.49', '1e400')}, as_of = 2024-06-28 }}",
            "heston.theta: a number that is not 0 is between 1e-100 and 1e100 in size",
        ),
        (f"heston = {{ {HESTON}, as_of = 9999-12-31 }}", "a time from 1970 to 2099"),
        (f"heston = {{ {HESTON}, as_of = 0001-01-01T00:00:00+23:00 }}", "a time from 1970 to 2099"),
    ],
)
def test_a_model_or_a_hedge_that_is_none_is_refused(
    tmp_path: Path, lines: str, message: str
) -> None:
    told = lines.replace("\n", ", ")
    (mistake,) = mistakes(tmp_path, f"{HEAD}{CAMPAIGN}\n[campaigns.eth-usdc.risk]\n{told}\n")
    assert message in mistake
