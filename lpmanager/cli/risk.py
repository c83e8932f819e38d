"""`lpm risk`: the risk desk, asked about each campaign at the newest block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lpmanager.cli.campaigns import CampaignNames, chosen, dry, for_each
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings

if TYPE_CHECKING:
    from lpmanager.cycle import Campaign
    from lpmanager.model import Decision
    from lpmanager.rebalancer import View
    from lpmanager.rebalancer.assessment import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assessed:
    name: str
    view: View
    measures: tuple[Measure, ...]
    decision: Decision


def risk(
    campaigns: CampaignNames = None, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """What a campaign is exposed to, what it can lose by tomorrow and in a crash, whether it is
    paid for that, and what would change its position. Changes nothing anywhere."""
    from lpmanager.cli.output import print_json

    settings = load_settings(config)
    open_campaign = dry(settings)
    found = for_each(chosen(settings, campaigns), lambda name: _assess(open_campaign(name)))
    if as_json:
        shown = {name: _json(one) for name, one in found.done.items()}
        print_json({"campaigns": shown, "errors": found.errors})
    else:
        for one in found.done.values():
            _print(one)
    found.exit_if_failed()


def _assess(campaign: Campaign) -> _Assessed:
    from lpmanager.cycle import observe
    from lpmanager.rebalancer import decide
    from lpmanager.rebalancer.assessment import assessment

    view = observe(campaign)
    return _Assessed(
        name=campaign.name,
        view=view,
        measures=assessment(view),
        decision=decide(campaign.name, view, campaign.policy, campaign.limits),
    )


def _print(one: _Assessed) -> None:
    from lpmanager.cli.decisions import print_gates
    from lpmanager.cli.output import console, print_table
    from lpmanager.cli.risk_words import measured
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
    print_gates(one.name, one.decision.gates)


def _json(one: _Assessed) -> dict[str, Any]:
    from lpmanager.cli.decisions import gates_json
    from lpmanager.cli.risk_words import measure_json
    from lpmanager.model import Plan

    block = one.view.snapshot.block
    return {
        "block": {"number": block.number, "hash": block.hash, "timestamp": block.timestamp},
        "measures": [measure_json(m, one.view.snapshot) for m in one.measures],
        "decision": "plan" if isinstance(one.decision, Plan) else "hold",
        "reason": one.decision.reason,
        "gates": gates_json(one.decision.gates),
    }
