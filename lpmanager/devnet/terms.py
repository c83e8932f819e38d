"""What a manager in a simulation is told to do, where nobody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping

from lpmanager.settings import CampaignTable, Settings

#: Of each token of a new pool, in whole tokens: about as much of both.
DEFAULT_FUNDS: Mapping[str, str] = {"USDC": "50000", "WETH": "22"}

_DEFAULT_TABLE = """\
policy = "fixed_width"

[campaigns.{campaign}.options]
half_width_ticks = 120
deploy = "0.8"

[campaigns.{campaign}.limits]
max_swap_cost_per_day = "150"
max_moves_per_day = 12
hedge_band = "0.3"
"""


def default_table(campaign: str) -> str:
    """A campaign's table from its policy on, as TOML."""
    return _DEFAULT_TABLE.format(campaign=campaign)


def with_terms(settings: Settings, campaign: str, terms: CampaignTable) -> Settings:
    """The settings with the policy, limits and quote of another campaign for their own pool."""
    own = settings.campaigns[campaign]
    told = {
        name: getattr(terms, name)
        for name in ("quote", "policy", "options", "limits", "target_weight")
    }
    return settings.model_copy(update={"campaigns": {campaign: own.model_copy(update=told)}})


def with_policy(
    terms: CampaignTable, policy: str | None, options: Mapping[str, object]
) -> CampaignTable:
    """The terms with single options changed, or with another policy and only these options."""
    if policy is None or policy == terms.policy:
        return terms.model_copy(update={"options": {**terms.options, **options}})
    return terms.model_copy(update={"policy": policy, "options": dict(options)})
