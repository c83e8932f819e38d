"""lpmanager.toml, .env and the environment -> Settings. Nothing else reads the environment.

`.env` lies beside the configuration file; what the process environment says wins over it:

* LPM_RPC_URL             the RPC of the file's chain
* LPM_RPC_URL_<CHAIN>     the RPC of the chain of that name ("my-chain" is MY_CHAIN)
* LPM_PRIVATE_KEY         a key in clear text; only chains with `devnet = true` accept it
* LPM_KEYSTORE_PASSWORD   opens the keystore where nobody is there to type it
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from lpmanager.chain.presets import Chain, presets
from lpmanager.config_errors import did_you_mean, explain
from lpmanager.errors import ConfigError
from lpmanager.settings import Settings

_PREFIX = "LPM_"
_RPC = "LPM_RPC_URL"
_SECRETS = {"LPM_PRIVATE_KEY": "private_key", "LPM_KEYSTORE_PASSWORD": "keystore_password"}


def load(path: Path) -> Settings:
    """The settings of a file and its surroundings.

    Relative paths in the file are meant from the file's own folder. Raises ConfigError with one
    line per mistake, each beginning with the path of its key.
    """
    table = _read(path)
    secret = {"rpc_urls", *_SECRETS.values()} & table.keys()
    if secret:
        raise ConfigError(f"{min(secret)}: secrets belong in .env, not in {path.name}")
    try:
        settings = Settings.model_validate(table, context={"folder": path.parent.resolve()})
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, Settings))) from error
    in_file, variables = _variables(path.parent / ".env")
    mistakes = [
        *_chain_mistakes(settings),
        *_pool_mistakes(settings),
        *_variable_mistakes(settings, in_file),
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return settings.model_copy(update=_secrets(settings, variables))


def rpc_url(settings: Settings, chain: Chain) -> str:
    """The RPC URL of a chain, in clear; ConfigError where none is given."""
    secret = settings.rpc_urls.get(chain.name)
    if secret is None:
        variable = _RPC if chain.name == settings.chain else _variable(chain.name)
        raise ConfigError(f"{variable}: missing; put the RPC URL of {chain.name} in .env")
    return secret.get_secret_value()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; write one with `lpm init`, or name another with "
            "--config"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _variables(dotenv: Path) -> tuple[frozenset[str], dict[str, str]]:
    """The names that stand in .env, and every non-empty variable of ours with its value."""
    try:
        from_file = dotenv_values(dotenv) if dotenv.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{dotenv}: cannot be read: {error}") from error
    merged = {**from_file, **os.environ}
    ours = {name: text for name, text in merged.items() if name.startswith(_PREFIX) and text}
    return frozenset(from_file), ours


def _variable(chain: str) -> str:
    return f"{_RPC}_{chain.upper().replace('-', '_')}"


def _secrets(settings: Settings, variables: Mapping[str, str]) -> dict[str, object]:
    urls: dict[str, SecretStr] = {}
    for name in settings.known_chains():
        own = settings.chains.get(name)
        if _variable(name) in variables:
            urls[name] = SecretStr(variables[_variable(name)])
        elif name == settings.chain and _RPC in variables:
            urls[name] = SecretStr(variables[_RPC])
        elif own is not None and own.rpc_url is not None:
            urls[name] = own.rpc_url
    keys = {
        field: SecretStr(variables[variable])
        for variable, field in _SECRETS.items()
        if variable in variables
    }
    return {"rpc_urls": urls, **keys}


def _chain_mistakes(settings: Settings) -> Iterator[str]:
    known = settings.known_chains()
    for name in settings.chains:
        if name in presets():
            yield f"chains.{name}: {name} is a preset; give your own chain another name"
    chosen = {"chain": settings.chain} | {
        f"campaigns.{name}.chain": campaign.chain
        for name, campaign in settings.campaigns.items()
        if campaign.chain is not None
    }
    for key, name in chosen.items():
        if name not in known:
            yield f"{key}: there is no chain {name!r}{did_you_mean(name, known)}"


def _pool_mistakes(settings: Settings) -> Iterator[str]:
    """Two campaigns must not manage the same pool for the same account."""
    first: dict[tuple[str, str], str] = {}
    for name, campaign in settings.campaigns.items():
        key = (campaign.chain or settings.chain, campaign.pool_name)
        if key in first:
            yield (
                f"campaigns.{name}: manages pool {campaign.pool_name} on {key[0]}, which "
                f"campaigns.{first[key]} already does; keep one of them"
            )
        first.setdefault(key, name)


def _variable_mistakes(settings: Settings, in_file: frozenset[str]) -> Iterator[str]:
    known = {_RPC, *_SECRETS, *(_variable(name) for name in settings.known_chains())}
    for name in sorted(in_file):
        if name.startswith(_PREFIX) and name not in known:
            yield f"{name}: no such variable{did_you_mean(name, known)}; correct .env"
