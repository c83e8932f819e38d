"""`lpm risk`: the risk desk, asked about each campaign at the newest block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.campaigns import CampaignNames, chosen, dry, for_each
from lpmanager.cli.garbage import collected_rarely
from lpmanager.cli.option_chain import ChainAsked
from lpmanager.cli.option_groups import spread
from lpmanager.cli.options import AsJson, HtmlPage, load_settings
from lpmanager.cli.risk_market import MarketAsked, StrategyAsked
from lpmanager.cli.stress import StressPath, run_stress
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.cycle import Campaign
    from lpmanager.rebalancer import Limits, Policy, View
    from lpmanager.rebalancer.assessment.portfolio import Whole
    from lpmanager.risk.efficiency import Efficiency
    from lpmanager.risk.missing import Missing
    from lpmanager.risk.price_path import PricePath


@spread
def risk(
    *,
    campaigns: CampaignNames = None,
    as_json: AsJson = False,
    stress: StressPath = None,
    html: HtmlPage = None,
    market: MarketAsked,
    strategy: StrategyAsked,
    chain: ChainAsked,
) -> None:
    """What a campaign is exposed to, what it can lose by tomorrow and in a crash, whether it is
    paid for that, and what would change its position. Changes nothing anywhere."""
    from lpmanager.cli.option_chain import require_no_chain, run_option_chain
    from lpmanager.cli.output import print_json
    from lpmanager.cli.portfolio_words import print_whole, whole_json, whole_of
    from lpmanager.cli.risk_market import require_no_market

    if chain.option_chain is not None:
        if campaigns or stress or html or market.market:
            raise UsageError("--option-chain: is asked alone, without campaigns or other files")
        return run_option_chain(chain, as_json=as_json)
    require_no_chain(chain)
    if html is not None:
        _require_page(html, stress)
    if stress is not None:
        return run_stress(stress, market, strategy, campaigns, as_json=as_json)
    if market.market is not None:
        return _at_end_of_market(market, strategy, campaigns or [], as_json, html)
    require_no_market(market, strategy)
    settings = load_settings(strategy.config)
    open_campaign = dry(settings)
    found = for_each(chosen(settings, campaigns), lambda name: _assess(open_campaign(name)))
    together = whole_of(found, settings.issuers, settings.known_loans())
    if html is not None:
        _write_page(html, tuple(found.done.values()), errors=found.errors, together=together)
    if as_json:
        shown = {name: _json(one) for name, one in found.done.items()}
        print_json({"campaigns": shown, "together": whole_json(together), "errors": found.errors})
    else:
        for one in found.done.values():
            _print(one)
        if len(found.done) > 1 or settings.lenders:
            print_whole(together)
    found.exit_if_failed()


@collected_rarely()
def _at_end_of_market(
    market: MarketAsked,
    strategy: StrategyAsked,
    campaigns: Sequence[str],
    as_json: bool,
    html: Path | None,
) -> None:
    from lpmanager.cli.market_models import models_json, models_of, print_models
    from lpmanager.cli.output import note, print_json
    from lpmanager.cli.risk_market import end_of, forecasts_json, forecasts_of, print_forecasts

    seen = end_of(market, strategy, campaigns)
    one = _assessed(seen.name, seen.view, seen.policy, seen.limits, seen.so_far, seen.path)
    forecasts = forecasts_of(seen.path)
    models = models_of(seen.market, seen.path, seen.view.snapshot.quote)
    if html is not None:
        _write_page(html, (one,), notes=seen.notes)
    if as_json:
        shown = {"campaigns": {one.name: _json(one)}, "errors": {}}
        return print_json(
            {
                **shown,
                "forecasts": forecasts_json(forecasts),
                **models_json(models),
                "notes": list(seen.notes),
            }
        )
    _print(one)
    print_forecasts(forecasts)
    print_models(models)
    for sentence in seen.notes:
        note(sentence)


def _require_page(html: Path, stress: Path | None) -> None:
    """Raise before the work where no page could be written."""
    from lpmanager.page import require_writable

    if stress is not None:
        raise UsageError("--html: shows no scenarios of --stress; ask for one of the two")
    require_writable(html)


def _write_page(
    html: Path,
    campaigns: Sequence[Assessed],
    *,
    errors: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    together: Whole | Missing | None = None,
) -> None:
    from lpmanager.cli.output import note
    from lpmanager.cli.risk_page import risk_page
    from lpmanager.page import write_page

    write_page(html, risk_page(campaigns, errors or {}, notes, together))
    note(f"wrote {html}")


def _assess(campaign: Campaign) -> Assessed:
    from lpmanager.cycle import observe

    view = observe(campaign)
    so_far = campaign.books.efficiency(view.snapshot, view.record)
    return _assessed(campaign.name, view, campaign.policy, campaign.limits, so_far)


def _assessed(
    name: str,
    view: View,
    policy: Policy,
    limits: Limits,
    so_far: Efficiency | Missing,
    path: PricePath | None = None,
) -> Assessed:
    from lpmanager.rebalancer import decide
    from lpmanager.rebalancer.assessment import assessment
    from lpmanager.rebalancer.assessment.efficiency import efficiency_measures
    from lpmanager.rebalancer.assessment.quotes import quote_measures
    from lpmanager.rebalancer.standing import limits_as_they_stand

    return Assessed(
        name=name,
        view=view,
        limits=limits,
        measures=(
            *assessment(view, limits, path),
            *quote_measures(view, policy),
            *efficiency_measures(so_far),
        ),
        decision=decide(name, view, policy, limits),
        standing=limits_as_they_stand(view, limits),
    )


def _print(one: Assessed) -> None:
    from lpmanager.cli.decisions import print_gates
    from lpmanager.cli.output import console, print_table
    from lpmanager.cli.risk_words import NOT_ASKED, measured
    from lpmanager.cli.words import moment
    from lpmanager.model import Plan
    from lpmanager.rebalancer.assessment import Question

    snapshot = one.view.snapshot
    console().print(
        f"{one.name}: {snapshot.pool} at block {snapshot.block.number:,}, "
        f"{moment(snapshot.block.timestamp)}",
        markup=False,
    )
    for question in Question:
        rows = [
            (m.name, measured(m, snapshot), m.meaning)
            for m in one.measures
            if m.question is question
        ]
        print_table(f"{one.name}: {question}", ("measure", "now", "how"), rows)
    verb = "would act" if isinstance(one.decision, Plan) else "holds"
    console().print(
        f"{one.name}: What would change my position? It {verb}: {one.decision.reason}",
        markup=False,
    )
    print_gates(f"{one.name}: gates", one.decision.gates)
    if one.not_asked:
        print_gates(f"{one.name}: {NOT_ASKED}", one.not_asked)


def _json(one: Assessed) -> dict[str, Any]:
    from lpmanager.cli.decisions import gates_json
    from lpmanager.cli.risk_words import measure_json
    from lpmanager.cli.worst_swaps import worst_swaps_json
    from lpmanager.model import Plan

    block = one.view.snapshot.block
    return {
        "block": {"number": block.number, "hash": block.hash, "timestamp": block.timestamp},
        "measures": [measure_json(m, one.view.snapshot) for m in one.measures],
        "worst_swaps": worst_swaps_json(one.view.snapshot),
        "decision": "plan" if isinstance(one.decision, Plan) else "hold",
        "reason": one.decision.reason,
        "gates": gates_json(one.decision.gates),
        "standing": gates_json(one.standing),
    }
