"""`lpm status`: what each campaign holds against what, at the newest block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lpmanager.cli.campaigns import CampaignNames, chosen, dry, for_each
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings

if TYPE_CHECKING:
    from lpmanager.cycle import Campaign
    from lpmanager.inventory.impermanent_loss import Loss
    from lpmanager.inventory.measure import PositionInventory
    from lpmanager.model import Token
    from lpmanager.rebalancer import View


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    name: str
    view: View
    halted: str | None


def status(
    campaigns: CampaignNames = None, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Price, ranges, inventory, exposure and impermanent loss. Changes nothing anywhere."""
    from lpmanager.cli.output import print_json

    settings = load_settings(config)
    open_campaign = dry(settings)
    seen = for_each(chosen(settings, campaigns), lambda name: _see(open_campaign(name)))
    if as_json:
        shown = {name: _json(one) for name, one in seen.done.items()}
        print_json({"campaigns": shown, "errors": seen.errors})
    else:
        for one in seen.done.values():
            _print(one)
    seen.exit_if_failed()


def _see(campaign: Campaign) -> _Seen:
    from lpmanager.cycle import observe

    halted = campaign.books.halted()
    return _Seen(name=campaign.name, view=observe(campaign), halted=halted)


def _print(seen: _Seen) -> None:
    from lpmanager.cli.output import print_table
    from lpmanager.cli.words import moment

    block = seen.view.snapshot.block
    title = f"{seen.name}: {seen.view.snapshot.pool} at block {block.number:,}"
    print_table(f"{title}, {moment(block.timestamp)}", ("", ""), _rows(seen))
    positions = seen.view.inventory.positions
    if positions:
        print_table(
            f"{seen.name}: positions",
            ("position", "range", "holds", "can still", "against HODL"),
            [_position_row(p, seen.view) for p in positions],
        )


def _rows(seen: _Seen) -> list[tuple[str, str]]:
    from lpmanager.cli.words import both_text, money, number, percent, price_unit

    inventory, snapshot = seen.view.inventory, seen.view.snapshot
    base, quote, held = inventory.price.base, inventory.price.quote, inventory.holdings
    exposure = inventory.exposure
    return [
        ("state", "running" if seen.halted is None else f"HALTED: {seen.halted}"),
        ("price", f"{number(inventory.price.per_whole)} {price_unit(inventory.price)}"),
        ("tick", str(snapshot.state.tick)),
        ("value", money(inventory.value, quote)),
        ("wallet", both_text(held.wallet)),
        ("principal", both_text(held.principal)),
        ("uncollected fees", both_text(held.uncollected)),
        (
            f"weight of {base.symbol}",
            f"{percent(inventory.weight)}, target {percent(inventory.target_weight)}",
        ),
        ("imbalance", percent(inventory.imbalance)),
        ("delta", f"{exposure.delta:,.6f} {base.symbol}"),
        ("gamma", f"{exposure.gamma:,.8f} {base.symbol} for a price rise of 1 {quote.symbol}"),
        ("impermanent loss", _loss_text(inventory.loss, quote)),
    ]


def _position_row(position: PositionInventory, view: View) -> tuple[str, ...]:
    from lpmanager.amm import range_bounds
    from lpmanager.cli.words import amount_text, both_text, number, prices_between
    from lpmanager.venues.position_names import position_name

    snapshot, capacity = view.snapshot, position.capacity
    bounds = range_bounds(position.position.range)
    low, high = prices_between(snapshot.pool, snapshot.quote, *bounds)
    inside = "in range" if position.in_range else "OUT OF RANGE"
    return (
        position_name(position.position.token_id),
        f"{number(low)} to {number(high)}\n{position.position.range}\n{inside}",
        f"{both_text(position.principal)}\nfees {both_text(position.uncollected)}",
        f"sell {amount_text(capacity.base_left)} for {amount_text(capacity.base_sells_for)}\n"
        f"buy {amount_text(capacity.quote_buys)} for {amount_text(capacity.quote_left)}",
        _loss_text(position.loss, snapshot.quote),
    )


def _loss_text(loss: Loss | None, quote: Token) -> str:
    from lpmanager.cli.words import money, percent

    return "unknown" if loss is None else f"{money(loss.value, quote)} ({percent(loss.share)})"


def _json(seen: _Seen) -> dict[str, Any]:
    from lpmanager.cli.words import exact, exact_both, price_unit, share_text
    from lpmanager.model.token import decimal_text

    inventory, snapshot = seen.view.inventory, seen.view.snapshot
    quote, held = inventory.price.quote, inventory.holdings
    return {
        "block": {
            "number": snapshot.block.number,
            "hash": snapshot.block.hash,
            "timestamp": snapshot.block.timestamp,
        },
        "pool": {"address": snapshot.pool.address, "name": str(snapshot.pool)},
        "halted": seen.halted,
        "price": decimal_text(inventory.price.per_whole),
        "price_unit": price_unit(inventory.price),
        "tick": snapshot.state.tick,
        "base": inventory.price.base.symbol,
        "quote": quote.symbol,
        "value": exact(inventory.value, quote),
        "wallet": exact_both(held.wallet),
        "principal": exact_both(held.principal),
        "uncollected": exact_both(held.uncollected),
        "total": exact_both(held.total),
        "weight": share_text(inventory.weight),
        "target_weight": share_text(inventory.target_weight),
        "imbalance": share_text(inventory.imbalance),
        "delta": inventory.exposure.delta,
        "gamma": inventory.exposure.gamma,
        "impermanent_loss": _loss_json(inventory.loss, quote),
        "positions": [_position_json(p, seen.view) for p in inventory.positions],
    }


def _position_json(position: PositionInventory, view: View) -> dict[str, Any]:
    from lpmanager.amm import range_bounds
    from lpmanager.cli.words import exact_amount, exact_both, prices_between
    from lpmanager.model.token import decimal_text

    snapshot, capacity = view.snapshot, position.capacity
    tick_range = position.position.range
    prices = prices_between(snapshot.pool, snapshot.quote, *range_bounds(tick_range))
    return {
        "token_id": position.position.token_id,
        "ticks": [tick_range.lower, tick_range.upper],
        "prices": [decimal_text(price) for price in prices],
        "in_range": position.in_range,
        "principal": exact_both(position.principal),
        "uncollected": exact_both(position.uncollected),
        "delta": position.exposure.delta,
        "gamma": position.exposure.gamma,
        "can_sell": exact_amount(capacity.base_left),
        "can_sell_for": exact_amount(capacity.base_sells_for),
        "can_buy": exact_amount(capacity.quote_buys),
        "can_buy_for": exact_amount(capacity.quote_left),
        "impermanent_loss": _loss_json(position.loss, snapshot.quote),
    }


def _loss_json(loss: Loss | None, quote: Token) -> dict[str, str | None] | None:
    from lpmanager.cli.words import exact, share_text

    if loss is None:
        return None
    return {"value": exact(loss.value, quote), "share": share_text(loss.share)}
