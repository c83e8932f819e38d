"""`lpm report`: the result of each campaign since its first deposit, from its books."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from lpmanager.cli.campaigns import CampaignNames, chosen, dry, for_each
from lpmanager.cli.efficiency_words import efficiency_json, efficiency_rows
from lpmanager.cli.identity import identity_rows
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.cli.worth import Worth, worth_json, worth_of, worth_rows
from lpmanager.errors import LpmError

if TYPE_CHECKING:
    from lpmanager.cycle import Campaign
    from lpmanager.ledger.report import Activity, Adoption, PositionLife
    from lpmanager.ledger.result import Result
    from lpmanager.model import Amounts, Block
    from lpmanager.risk.efficiency import Efficiency
    from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    name: str
    block: Block
    result: Result
    put_in: Amounts
    held: Amounts
    activity: Activity
    worth: Worth
    efficiency: Efficiency | Missing
    positions: tuple[PositionLife, ...]
    adoptions: tuple[Adoption, ...]


def report(
    campaigns: CampaignNames = None, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """What was earned and lost, term by term, against HODL. Valued at the newest block's price."""
    from lpmanager.cli.output import print_json

    settings = load_settings(config)
    open_campaign = dry(settings)
    made = for_each(chosen(settings, campaigns), lambda name: _make(open_campaign(name)))
    if as_json:
        shown = {name: _json(one) for name, one in made.done.items()}
        print_json({"campaigns": shown, "errors": made.errors})
    else:
        for one in made.done.values():
            _print(one)
    made.exit_if_failed()


def _make(campaign: Campaign) -> _Report:
    from lpmanager.cycle import observe
    from lpmanager.inventory.impermanent_loss import net_deposits
    from lpmanager.ledger.report import activity

    view = observe(campaign)
    if not view.record.deposits:
        raise LpmError(
            f"campaign {campaign.name}: nothing was ever deposited, so nothing to report"
        )
    result, diary = campaign.books.result(view.snapshot), campaign.books.diary()
    return _Report(
        name=campaign.name,
        block=view.snapshot.block,
        result=result,
        put_in=net_deposits(view.snapshot.pool, view.record.deposits),
        held=view.inventory.holdings.total,
        activity=activity(diary),
        worth=worth_of(view, result, diary),
        efficiency=campaign.books.efficiency(view.snapshot, view.record),
        positions=campaign.books.lineage(),
        adoptions=campaign.books.adoptions(),
    )


def _print(made: _Report) -> None:
    from lpmanager.cli.output import print_table
    from lpmanager.cli.words import both_text, moment, number, price_unit

    price = made.result.price
    title = (
        f"{made.name}: valued at the pool's {number(price.per_whole)} {price_unit(price)} of block "
        f"{made.block.number:,}, {moment(made.block.timestamp)}"
    )
    print_table(title, ("", "", price.quote.symbol), identity_rows(made.result))
    print_table(
        f"{made.name}: against HODL",
        ("", ""),
        [
            ("put in", both_text(made.put_in)),
            ("held now", both_text(made.held)),
            ("difference", both_text(made.held - made.put_in)),
            *_against_hodl_rows(made.result),
        ],
    )
    print_table(f"{made.name}: what was done", ("", ""), _activity_rows(made.activity))
    print_table(f"{made.name}: was it worth it", ("", ""), worth_rows(made.worth, price.quote))
    print_table(f"{made.name}: how well it paid", ("", ""), efficiency_rows(made.efficiency))
    if made.positions:
        print_table(
            f"{made.name}: positions",
            ("position", "ticks", "from", "to"),
            [_life_row(life) for life in made.positions],
        )
    if made.adoptions:
        print_table(
            f"{made.name}: changed by hand, and taken into the books",
            ("found", "what"),
            [(moment(adoption.timestamp), adoption.text) for adoption in made.adoptions],
        )


def _against_hodl_rows(result: Result) -> list[tuple[str, str]]:
    from lpmanager.cli.words import number

    return [
        (f"result, counted in {symbol}", f"{number(Fraction(text))} {symbol}")
        for symbol, text in _against_hodl(result).items()
    ]


def _against_hodl(result: Result) -> dict[str, str]:
    """Value now less that of just holding the deposits, counted in either token.

    Exact in the quote token; in the base token rounded to its decimals.
    """
    from lpmanager.cli.words import exact

    price = result.price
    difference = result.nav_end - result.hodl_value
    in_base = Fraction(round(difference / price.ratio))
    return {
        price.quote.symbol: exact(difference, price.quote),
        price.base.symbol: exact(in_base, price.base),
    }


def _activity_rows(activity: Activity) -> list[tuple[str, str]]:
    closed = sorted(activity.closed_gates.items(), key=lambda item: -item[1])
    return [
        ("cycles", str(activity.cycles)),
        ("moves", str(activity.moves)),
        ("holds", str(activity.holds)),
        ("of these with nothing to do", str(activity.at_rest)),
        *((f"of these with {gate} closed", str(count)) for gate, count in closed),
    ]


def _life_row(life: PositionLife) -> tuple[str, ...]:
    from lpmanager.cli.words import moment
    from lpmanager.venues.position_names import position_name

    closed = "open" if life.closed_at is None else moment(life.closed_at)
    return position_name(life.token_id), str(life.range), moment(life.opened_at), closed


def _json(made: _Report) -> dict[str, Any]:
    from lpmanager.cli.words import exact_both, price_unit
    from lpmanager.model.token import decimal_text

    price, activity = made.result.price, made.activity
    return {
        "block": {"number": made.block.number, "timestamp": made.block.timestamp},
        "price": decimal_text(price.per_whole),
        "price_unit": price_unit(price),
        "quote": price.quote.symbol,
        **made.result.in_quote(),
        "against_hodl": _against_hodl(made.result),
        "put_in": exact_both(made.put_in),
        "held": exact_both(made.held),
        "cycles": activity.cycles,
        "moves": activity.moves,
        "holds": activity.holds,
        "holds_at_rest": activity.at_rest,
        "holds_by_gate": dict(activity.closed_gates),
        **worth_json(made.worth),
        "efficiency": efficiency_json(made.efficiency),
        "positions": [
            {
                "token_id": life.token_id,
                "ticks": [life.range.lower, life.range.upper],
                "opened_at": life.opened_at,
                "closed_at": life.closed_at,
            }
            for life in made.positions
        ],
        "changed_by_hand": [
            {"timestamp": adoption.timestamp, "what": adoption.text} for adoption in made.adoptions
        ],
    }
