"""`lpm config`: is the configuration right, what does it say, what may it say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import ConfigError

if TYPE_CHECKING:
    from lpmanager.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Check and show the configuration.")


@app.command()
def check(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Read the configuration and every policy's options; say what is wrong, or that it is right."""
    from lpmanager.cli.output import print_json, print_table

    settings = load_settings(config)
    _check_policies(settings)
    if as_json:
        print_json({"valid": True, "campaigns": sorted(settings.campaigns)})
        return
    rows = [
        (
            name,
            settings.chain_of(name).name,
            campaign.pool_name,
            campaign.policy,
            "yes" if settings.chain_of(name).name in settings.rpc_urls else "missing",
        )
        for name, campaign in settings.campaigns.items()
    ]
    print_table(f"{config} is valid", ("campaign", "chain", "pool", "policy", "RPC URL"), rows)


@app.command()
def show(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Show every setting, defaults included, secrets masked."""
    from lpmanager.cli.output import print_json

    dumped = load_settings(config).model_dump(mode="json")
    if as_json:
        print_json(dumped)
        return
    for line in _lines("", dumped):
        typer.echo(line)


@app.command()
def schema() -> None:
    """Print the JSON schema of lpmanager.toml, for editors."""
    from lpmanager.cli.output import print_json
    from lpmanager.settings import Settings

    # serialization mode writes the defaults as they would stand in the file
    print_json(Settings.model_json_schema(mode="serialization"))


def _check_policies(settings: Settings) -> None:
    from lpmanager.rebalancer.policies import make_policy

    for name, campaign in settings.campaigns.items():
        try:
            make_policy(campaign.policy, campaign.options)
        except ConfigError as error:
            raise ConfigError(f"campaigns.{name}.{error}") from error


def _lines(key: str, value: object) -> Iterator[str]:
    """The settings of nested tables as lines "a.b.c = value"; what is not set is left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _lines(f"{key}.{name}" if key else str(name), inner)
    elif value is not None:
        yield f"{key} = {value}"
