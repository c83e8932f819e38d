"""lpmanager.toml, .env and the environment -> Settings. Nothing else reads the environment.

`.env` lies beside the configuration file; what the process environment says wins over it:

* LPM_RPC_URL             the RPCs of the file's chain, in order, separated by commas or spaces
* LPM_RPC_URL_<CHAIN>     those of the chain of that name ("my-chain" is MY_CHAIN)
* LPM_RELAY_URL           the private relay that takes transactions of the file's chain
* LPM_RELAY_URL_<CHAIN>   that of the chain of that name
* LPM_PRIVATE_KEY         a key in clear text; only chains with `devnet = true` accept it
* LPM_KEYSTORE_PASSWORD   opens the keystore where nobody is there to type it
* LPM_OWNER_PRIVATE_KEY, LPM_OWNER_KEYSTORE_PASSWORD
                          the same of the vaults' owner
* CREDENTIALS_DIRECTORY   systemd's, where account.password_credential is a file
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from lpmanager.chain.presets import Chain, presets
from lpmanager.chain.urls import has_secret, is_loopback
from lpmanager.config_errors import did_you_mean, explain
from lpmanager.errors import ConfigError
from lpmanager.model.units import HOUR_S
from lpmanager.risk.jumps import history_for_jumps_s
from lpmanager.setting_types import without_password
from lpmanager.settings import Settings

_PREFIX = "LPM_"
_RPC = "LPM_RPC_URL"
_RELAY = "LPM_RELAY_URL"
_SECRETS = {
    "LPM_PRIVATE_KEY": "private_key",
    "LPM_KEYSTORE_PASSWORD": "keystore_password",
    "LPM_OWNER_PRIVATE_KEY": "owner_private_key",
    "LPM_OWNER_KEYSTORE_PASSWORD": "owner_keystore_password",
}


def load(path: Path) -> Settings:
    """The settings of a file and its surroundings.

    Relative paths in the file are meant from the file's own folder. Raises ConfigError with one
    line per mistake, each beginning with the path of its key.
    """
    table = _read(path)
    secret = {
        "rpc_urls",
        "relay_urls",
        "credentials_folder",
        "secret_files",
        *_SECRETS.values(),
    } & table.keys()
    if secret:
        raise ConfigError(f"{min(secret)}: secrets belong in .env, not in {path.name}")
    try:
        settings = Settings.model_validate(table, context={"folder": path.parent.resolve()})
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, Settings))) from error
    in_file, variables = _variables(path.parent / ".env")
    mistakes = [
        *_store_mistakes(settings),
        *_chain_mistakes(settings),
        *_custody_mistakes(settings),
        *_owner_mistakes(settings),
        *_contagion_mistakes(settings),
        *_history_mistakes(settings),
        *_variable_mistakes(settings, in_file),
        *_url_mistakes(settings, variables),
        *_devnet_mistakes(settings, variables),
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    kept = {path.parent / ".env": _secret_in_dotenv(in_file), path: _secret_in_file(settings)}
    secret_files = {file: key for file, key in kept.items() if key is not None}
    return settings.model_copy(
        update={**_secrets(settings, variables), "secret_files": secret_files}
    )


def rpc_urls(settings: Settings, chain: Chain) -> tuple[str, ...]:
    """The RPC URLs of a chain in their order, in clear; ConfigError where none is given."""
    secret = settings.rpc_urls.get(chain.name)
    if secret is None:
        variable = _RPC if chain.name == settings.chain else _variable(_RPC, chain.name)
        raise ConfigError(f"{variable}: missing; put the RPC URL of {chain.name} in .env")
    return _split(secret.get_secret_value())


def rpc_url(settings: Settings, chain: Chain) -> str:
    """The first RPC URL of a chain, in clear; ConfigError where none is given."""
    return rpc_urls(settings, chain)[0]


def relay_url(settings: Settings, chain: Chain) -> str | None:
    """The URL of a chain's private relay, in clear; None where transactions go to the RPCs."""
    secret = settings.relay_urls.get(chain.name)
    return None if secret is None else secret.get_secret_value().strip()


@contextmanager
def lent_environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables, or with None take them away, for a library that is told nothing otherwise.

    All are as before in the end, whatever the library has made of them.
    """
    before = {name: os.environ.get(name) for name in variables}
    _set_environment(variables)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


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


def _variables(dotenv: Path) -> tuple[dict[str, str | None], dict[str, str]]:
    """What stands in .env, and every non-empty variable of ours with its value."""
    try:
        from_file = dotenv_values(dotenv) if dotenv.exists() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{dotenv}: cannot be read: {error}") from error
    merged = {**from_file, **os.environ}
    ours = {name: text for name, text in merged.items() if name.startswith(_PREFIX) and text}
    return from_file, ours


def _variable(kind: str, chain: str) -> str:
    return f"{kind}_{chain.upper().replace('-', '_')}"


def _split(urls: str) -> tuple[str, ...]:
    return tuple(urls.replace(",", " ").split())


def _urls(
    settings: Settings, variables: Mapping[str, str], kind: str
) -> dict[str, tuple[str, SecretStr]]:
    """For each chain that has one, the key that gives its URLs, and the URLs."""
    found: dict[str, tuple[str, SecretStr]] = {}
    for name in settings.known_chains():
        own, variable = settings.chains.get(name), _variable(kind, name)
        if variable in variables:
            found[name] = variable, SecretStr(variables[variable])
        elif name == settings.chain and kind in variables:
            found[name] = kind, SecretStr(variables[kind])
        elif kind == _RPC and own is not None and own.rpc_url is not None:
            found[name] = f"chains.{name}.rpc_url", own.rpc_url
    return found


def _secrets(settings: Settings, variables: Mapping[str, str]) -> dict[str, object]:
    keys = {
        field: SecretStr(variables[variable])
        for variable, field in _SECRETS.items()
        if variable in variables
    }
    handed_over = os.environ.get("CREDENTIALS_DIRECTORY")
    return {
        "rpc_urls": {name: url for name, (_, url) in _urls(settings, variables, _RPC).items()},
        "relay_urls": {name: url for name, (_, url) in _urls(settings, variables, _RELAY).items()},
        "credentials_folder": Path(handed_over) if handed_over else None,
        **keys,
    }


def _secret_in_dotenv(in_file: Mapping[str, str | None]) -> str | None:
    """The first variable in .env that is a secret, or whose URLs hold one."""
    for name, text in in_file.items():
        is_url = name.startswith((_RPC, _RELAY))
        if text and (name in _SECRETS or (is_url and any(map(has_secret, _split(text))))):
            return name
    return None


def _secret_in_file(settings: Settings) -> str | None:
    """The first key of the file itself whose URL holds a secret."""
    if settings.store != without_password(settings.store):
        return "store"
    urls = {f"{who.key}.signer_url": who.table.signer_url for who in settings.signatories()}
    urls |= {f"chains.{name}.rpc_url": table.rpc_url for name, table in settings.chains.items()}
    for key, secret in urls.items():
        if secret is not None and any(map(has_secret, _split(secret.get_secret_value()))):
            return key
    return None


def _store_mistakes(settings: Settings) -> Iterator[str]:
    """What is no URL of a database, without showing it: it may hold a password."""
    if settings.store.startswith("postgresql") and not _is_database_url(settings.store):
        yield (
            'store: not the URL of a database; write "sqlite:///lpmanager.db", or '
            '"postgresql+psycopg://USER:PASSWORD@HOST:PORT/NAME" with %40 for an @ in the password'
        )


def _is_database_url(text: str) -> bool:
    from sqlalchemy import make_url  # takes a while, and most stores are files
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, ValueError):
        return False
    return "@" not in (url.host or "")


def _chain_mistakes(settings: Settings) -> Iterator[str]:
    known = settings.known_chains()
    chosen = {"chain": settings.chain} | {
        f"campaigns.{name}.chain": campaign.chain
        for name, campaign in settings.campaigns.items()
        if campaign.chain is not None
    }
    for key, name in chosen.items():
        if name not in known:
            yield f"{key}: there is no chain {name!r}{did_you_mean(name, known)}"


def _custody_mistakes(settings: Settings) -> Iterator[str]:
    """Two campaigns must not manage the same pool for the same account, nor the same vault."""
    first: dict[tuple[str, str], str] = {}
    for name, campaign in settings.campaigns.items():
        managed = (
            f"pool {campaign.pool_name}" if campaign.vault is None else f"vault {campaign.vault}"
        )
        key = (campaign.chain or settings.chain, managed)
        if key in first:
            yield (
                f"campaigns.{name}: manages {managed} on {key[0]}, which "
                f"campaigns.{first[key]} already does; keep one of them"
            )
        first.setdefault(key, name)


def _owner_mistakes(settings: Settings) -> Iterator[str]:
    """A vault protects nothing where the key that runs it is also its owner's."""
    if settings.owner is not None and settings.owner.address == settings.account.address:
        yield (
            "owner.address: is account.address too, so who steals the key that runs the vaults "
            "could empty them; own them by another account"
        )


def _contagion_mistakes(settings: Settings) -> Iterator[str]:
    """A limit on what nothing is known of would stop nothing, or everything."""
    for token, peg in settings.pegs.items():
        if peg.against == token:
            yield f"pegs.{token}.against: a token is always worth itself; name another"
    for name, campaign in settings.campaigns.items():
        if campaign.risk.max_share_in_issuer is not None and not settings.issuers:
            yield (
                f"campaigns.{name}.risk.max_share_in_issuer: no issuer is known; name those of "
                "tokens under [issuers]"
            )
        if campaign.risk.max_share_in_lender is not None and not settings.lenders:
            yield (
                f"campaigns.{name}.risk.max_share_in_lender: no lender is known; write a table "
                "[lenders.NAME]"
            )
        if campaign.risk.leave_on_depeg and not settings.pegs:
            yield (
                f"campaigns.{name}.risk.leave_on_depeg: no peg is known; write a table [pegs.TOKEN]"
            )


def _history_mistakes(settings: Settings) -> Iterator[str]:
    """A pause after what can never be found in the history would stop everything, or nothing."""
    for name, campaign in settings.campaigns.items():
        pause_s, history_s = campaign.risk.pause_after_jump, campaign.limits.history_s
        if pause_s is not None and history_s < history_for_jumps_s(pause_s):
            hours = -(-history_for_jumps_s(pause_s) // HOUR_S)
            yield (
                f"campaigns.{name}.risk.pause_after_jump: jumps of the last {pause_s} s are not "
                f"found in a history of {history_s} s; set campaigns.{name}.limits.history_s = "
                f'"{hours}h" at least, or more in a quiet pool'
            )


def _variable_mistakes(settings: Settings, in_file: Iterable[str]) -> Iterator[str]:
    by_chain = (_variable(kind, n) for kind in (_RPC, _RELAY) for n in settings.known_chains())
    known = {_RPC, _RELAY, *_SECRETS, *by_chain}
    for name in sorted(in_file):
        if name.startswith(_PREFIX) and name not in known:
            yield f"{name}: no such variable{did_you_mean(name, known)}; correct .env"


def _url_mistakes(settings: Settings, variables: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with URLs, without showing them: they may hold API keys."""
    quorum = settings.rpc.quorum or 1
    for name, (key, secret) in _urls(settings, variables, _RPC).items():
        urls = _split(secret.get_secret_value())
        yield from _no_urls(key, urls)
        if len(set(urls)) < len(urls):
            yield f"{key}: names one RPC twice; each must be another, or they cannot disagree"
        elif len(urls) < quorum:
            yield (
                f"rpc.quorum: is {quorum}, but {key} gives {len(urls)} RPC URLs for {name}; give "
                "more, or lower it"
            )
    for key, secret in _urls(settings, variables, _RELAY).values():
        urls = _split(secret.get_secret_value())
        yield from _no_urls(key, urls)
        if len(urls) > 1:
            yield f"{key}: expected one relay, found {len(urls)}"
    for who in settings.signatories():
        if who.table.signer_url is not None:
            yield from _no_urls(f"{who.key}.signer_url", [who.table.signer_url.get_secret_value()])


def _devnet_mistakes(settings: Settings, variables: Mapping[str, str]) -> Iterator[str]:
    """A signature is valid on every chain of its id: one of a devnet's looser rules must not reach
    a chain that is no devnet."""
    presets_by_id = {chain.chain_id: name for name, chain in presets().items()}
    for name, table in settings.chains.items():
        preset = presets_by_id.get(table.chain_id)
        if not table.devnet or preset is None:
            continue
        for kind in (_RPC, _RELAY):
            key, secret = _urls(settings, variables, kind).get(name, (kind, SecretStr("")))
            for place, url in enumerate(_split(secret.get_secret_value()), start=1):
                if _is_web_url(url) and not is_loopback(url):
                    yield (
                        f"chains.{name}.devnet: chain id {table.chain_id} is {preset}'s, and the "
                        f"URL in place {place} of {key} is not on this machine, so what is signed "
                        f"would be valid on {preset}; fork it at http://127.0.0.1, or write "
                        f'chain = "{preset}"'
                    )


def _no_urls(key: str, urls: Sequence[str]) -> Iterator[str]:
    for number, url in enumerate(urls, start=1):
        if not _is_web_url(url):
            yield f"{key}: the URL in place {number} is none that begins with http:// or https://"


def _is_web_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        unquote(f"{parts.username}{parts.password}").encode("latin-1")  # as HTTP sends them
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
