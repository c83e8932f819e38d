"""`lpm keys`: make, take in and list the encrypted files that signing keys are kept in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath

if TYPE_CHECKING:
    from lpmanager.execution.keystore import Keystore

app = typer.Typer(no_args_is_help=True, help="Encrypted files for signing keys.")

KeysFolder = Annotated[
    Path | None,
    typer.Option("--folder", help="Where the files are.  [default: keys, beside the config file]"),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="A file that holds the password; else it is asked for."),
]


@app.command()
def new(
    config: ConfigPath = DEFAULT_CONFIG,
    folder: KeysFolder = None,
    password_file: PasswordFile = None,
) -> None:
    """Make a new key. Only its address and the file are shown; nothing is overwritten.

    Whoever loses the file or forgets its password loses what the account owns: keep a copy.
    """
    from lpmanager.execution.keystore import new_key

    _keep(new_key(), config, folder, password_file)


@app.command("import")
def take_in(
    config: ConfigPath = DEFAULT_CONFIG,
    folder: KeysFolder = None,
    password_file: PasswordFile = None,
) -> None:
    """Take in a private key, typed unseen or piped in; never as an argument, which others see."""
    from lpmanager.cli.secret_input import read_secret
    from lpmanager.execution.keystore import key_from_text

    key = key_from_text(read_secret("private key in hex"))
    _keep(key, config, folder, password_file)


@app.command("list")
def show(
    config: ConfigPath = DEFAULT_CONFIG, folder: KeysFolder = None, as_json: AsJson = False
) -> None:
    """List the addresses and files; files that are no keystores are told on stderr. No password is
    needed."""
    from lpmanager.cli.output import note, print_json
    from lpmanager.execution.keystore import keystores

    found, others = keystores(_folder(config, folder))
    for path in others:
        note(f"left out, as it is no keystore v3 file that this user may read: {path}")
    if as_json:
        shown = [{"address": k.address, "path": str(k.path), "private": k.private} for k in found]
        print_json({"keys": shown})
        return
    for keystore in found:
        typer.echo(f"{keystore.address or 'no address told'}  {keystore.path}")
        _tell_of_readers(keystore.path)


def _keep(key: bytes, config: Path, folder: Path | None, password_file: Path | None) -> None:
    from lpmanager.cli.output import note
    from lpmanager.execution.keystore import seal

    kept = seal(key, _password(password_file), _folder(config, folder))
    typer.echo(f"{kept.address}  {kept.path}")
    note(
        "keep a copy of the file elsewhere; to sign with it, write under [account]: "
        f'address = "{kept.address}" and keystore = "{_from_config(kept, config)}"'
    )


def _password(file: Path | None) -> str:
    """A new file's password, long enough to protect it."""
    from lpmanager.cli.secret_input import ask_secret
    from lpmanager.execution.keystore import read_password, require_password

    if file is None:
        password = ask_secret("new password", instead="name a --password-file", twice=True)
    else:
        password = read_password(file, "--password-file")
        _tell_of_readers(file)
    require_password(password)
    return password


def _tell_of_readers(path: Path) -> None:
    from lpmanager.cli.output import note
    from lpmanager.execution.keystore import is_private

    if not is_private(path):
        note(f"others may read {path}; run `chmod 600 {path}`")


def _folder(config: Path, folder: Path | None) -> Path:
    return config.parent / "keys" if folder is None else folder


def _from_config(kept: Keystore, config: Path) -> str:
    """The file as the configuration would name it."""
    path, beside = kept.path.resolve(), config.parent.resolve()
    return str(path.relative_to(beside)) if path.is_relative_to(beside) else str(path)
