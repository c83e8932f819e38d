"""No secret is in anything that real commands write, show, or are started with."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from faults.fault_proxy import API_KEY, fault_proxy
from faults.leaks import forms_of_key, leaks
from faults.lpm_process import LpmProcess
from faults.table import OF_SECRETS
from live_desk import ETHER, Desk, Devnet, Done, a_devnet, a_funded_desk, surroundings
from loopback_rpc import always, loopback
from loopback_signer import loopback_signer
from terminal import at_a_terminal

pytestmark = pytest.mark.fault_row(OF_SECRETS)

PASSWORD = "Correct-Horse-7"
OWNER_PASSWORD = "Battery-Staple-9"
RELAY_KEY = "k3y0fThePrivateRe1ay"
SIGNER_TOKEN = "t0kenOfTheSigner"

#: A user's policy with a fault in it: what it raises comes out with a traceback, while the key is
#: in memory.
_FAULTY = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Faulty:
    def target(self, view):
        raise RuntimeError("a fault of the user's own")
"""


@dataclass
class Secrets:
    """Everything that must not be found, and everything that was searched for it."""

    forms: dict[str, bytes]
    searched: int = 0
    found: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, key: str) -> Secrets:
        return cls(
            forms_of_key("key", key)
            | {
                "password": PASSWORD.encode(),
                "API key": API_KEY.encode(),
                "signer's token": SIGNER_TOKEN.encode(),
            }
        )

    def search(self, where: str, content: bytes) -> None:
        self.searched += 1
        self.found += [f"{name} in {where}" for name, form in self.forms.items() if form in content]


@dataclass
class Watched:
    """A desk. Each command is a process of its own, and all it says and writes is searched."""

    desk: Desk
    secrets: Secrets
    said: Path

    def lpm(self, *arguments: str, typed: str = "", code: int = 0, **variables: str) -> Done:
        """Type `lpm ...`, without a terminal, as cron starts it."""
        self.desk.devnet.refresh()
        process = LpmProcess(
            self.desk.folder, *arguments, said=self.said, typed=typed, variables=variables
        )
        process.start()
        return self._searched(" ".join(arguments), process.wait(), code)

    def fresh(self, *command: str, typed: str = "", code: int = 0, **variables: str) -> Done:
        """A command started from nothing, whose arguments are read from outside while it runs."""
        self.desk.devnet.refresh()
        with subprocess.Popen(
            [sys.executable, *command],
            cwd=self.desk.folder,
            env=surroundings(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        ) as process:
            self.secrets.search(f"arguments of {command}", arguments_of(process.pid))
            out, err = process.communicate(typed, timeout=120)
        return self._searched(" ".join(command), Done(process.returncode, out, err), code)

    def _searched(self, name: str, done: Done, code: int) -> Done:
        self.secrets.search(f"stdout of {name}", done.stdout.encode())
        self.secrets.search(f"stderr of {name}", done.stderr.encode())
        self.search_files()
        assert done.returncode == code, f"{name}: {done}"
        return done

    def search_files(self) -> None:
        """Every file of the desk, and of the user's state, but those that are there to hold the
        secrets."""
        held = {self.desk.folder / name for name in (".env", "password", "lpmanager.toml")}
        state = Path.home() / ".local" / "state"
        for folder in (self.desk.folder, state):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path not in held:
                    self.secrets.search(str(path), path.read_bytes())

    def set_env(self, *lines: str) -> None:
        (self.desk.folder / ".env").write_text("\n".join(lines))

    def sign_by(self, *lines: str) -> None:
        """Sign as these lines of [account] say."""
        text = self.desk.config.read_text()
        before, rest = text.split("[account]\n")
        others = rest.index("[schedule]")
        address = rest[:others].splitlines()[0]
        account = "\n".join((address, *lines))
        self.desk.config.write_text(f"{before}[account]\n{account}\n\n{rest[others:]}")
        self.desk.config.chmod(0o600)


def arguments_of(pid: int) -> bytes:
    """What everybody on the machine may read of a process, once it is the program it will be."""
    path = Path(f"/proc/{pid}/cmdline")
    give_up = time.monotonic() + 10
    while b"lpmanager" not in (content := path.read_bytes()):
        assert time.monotonic() < give_up
    return content


def seal(watched: Watched, file: str, key: str, password: str) -> None:
    """Put a key into a keystore of the desk that opens at once."""
    path = watched.desk.folder / "keys" / file
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(Account.encrypt(key, password, kdf="pbkdf2", iterations=1)))


def seal_quickly(watched: Watched) -> None:
    """Put the desk's key into a keystore whose password is in a file."""
    seal(watched, "key.json", watched.desk.key, PASSWORD)
    watched.sign_by('keystore = "keys/key.json"', 'password_file = "password"')


LPM = ("-m", "lpmanager.cli.main")
LIVE = ("run", "--once", "--live")


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with a_devnet() as made:
        yield made


@pytest.fixture
def watched(
    devnet: Devnet,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Watched]:
    """A desk with a password file, and an RPC whose URL holds an API key."""
    desk = a_funded_desk(devnet, tmp_path, request.node.nodeid)
    (tmp_path / "password").touch(mode=0o600)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    said = tmp_path_factory.mktemp("said")
    assert devnet.backend.rpc_url is not None
    with fault_proxy(devnet.backend.rpc_url, 0) as proxy:
        made = Watched(desk, Secrets.of(desk.key), said)
        made.set_env(f"LPM_RPC_URL={proxy.url}?apikey={API_KEY}")
        yield made
    assert made.secrets.found == []
    assert made.secrets.searched > 3


def test_keys_new_and_import_show_addresses_alone(watched: Watched) -> None:
    new = watched.lpm("keys", "new", "--password-file", "password")
    (file,) = (watched.desk.folder / "keys").iterdir()
    made = Secrets.of(bytes(Account.decrypt(json.loads(file.read_text()), PASSWORD)).hex())
    made.search("stdout", new.stdout.encode())
    made.search("stderr", new.stderr.encode())
    made.search("the keystore", file.read_bytes())
    assert made.found == []
    take_in = ("keys", "import", "--password-file", "password")
    watched.fresh(*LPM, *take_in, typed=watched.desk.key)
    watched.lpm(*take_in, typed=watched.desk.key, code=2)
    cut = watched.desk.key[:-1]
    watched.secrets.forms["part of the key"] = cut[10:].encode()
    watched.lpm(*take_in, typed=cut, code=2)
    watched.lpm(*take_in, typed=cut + "z", code=2)
    watched.lpm("keys", "import", typed=watched.desk.key, code=2)
    watched.lpm("keys", "list", "--json")


def test_a_terminal_shows_nothing_of_what_is_typed(watched: Watched) -> None:
    session = at_a_terminal(
        [sys.executable, *LPM, "keys", "import"],
        [
            ("private key in hex: ", watched.desk.key),
            ("new password: ", PASSWORD),
            ("again: ", PASSWORD),
        ],
        folder=watched.desk.folder,
        environment=surroundings({}),
    )
    assert session.returncode == 0, session.screen
    watched.secrets.search("the screen", session.screen.encode())
    watched.lpm("keys", "list")


def test_a_live_campaign_with_a_keystore_leaves_none_behind(watched: Watched) -> None:
    seal_quickly(watched)
    watched.lpm("config", "show")
    watched.lpm("config", "show", "--json")
    watched.lpm("config", "check", "--json")
    watched.lpm("plan", "--out", "p.json")
    watched.lpm("execute", "p.json", "--live", "--json")
    watched.fresh(*LPM, "-v", *LIVE, "--json")
    for verb in ("doctor", "status", "report"):
        watched.lpm(verb)
        watched.lpm(verb, "--json")
    watched.lpm("halt", "--reason", "a look at secrets")
    watched.lpm(*LIVE, code=1)
    watched.lpm("resume", "--yes")
    watched.lpm("doctor", "--repair", "--json")
    stored = {path.name for path in watched.desk.folder.iterdir()}
    assert {"lpmanager.db", "p.json", "keys"} <= stored


def test_errors_about_keys_do_not_repeat_them(watched: Watched) -> None:
    seal_quickly(watched)
    keystore = 'keystore = "keys/key.json"'
    (watched.desk.folder / "wrong").write_text(PASSWORD.lower())
    watched.sign_by(keystore, 'password_file = "wrong"')
    watched.lpm(*LIVE, code=3)
    watched.sign_by(keystore, 'password_file = "none"')
    watched.lpm(*LIVE, code=3)
    watched.sign_by(keystore)
    watched.lpm(*LIVE, code=3, LPM_KEYSTORE_PASSWORD=PASSWORD + "?")
    watched.lpm(*LIVE, code=2)
    watched.sign_by()
    for wrong in (watched.desk.key[:-2], watched.desk.key + "00", watched.desk.key[2:-1] + "g"):
        watched.secrets.forms["key as it was mistyped"] = wrong[8:].encode()
        watched.lpm(*LIVE, code=3, LPM_PRIVATE_KEY=wrong)


def test_a_clear_key_on_a_chain_that_is_no_devnet_is_not_repeated(watched: Watched) -> None:
    watched.desk.edit("devnet = true", "devnet = false")
    for arguments, code in ((LIVE, 3), (("doctor",), 4), (("config", "show"), 0)):
        watched.lpm(*arguments, code=code, LPM_PRIVATE_KEY=watched.desk.key)


def test_a_secret_in_the_wrong_file_is_not_repeated(watched: Watched) -> None:
    text = watched.desk.config.read_text()
    for line in (
        f'private_key = "{watched.desk.key}"',
        f'keystore_password = "{PASSWORD}"',
        f'rpc_url = "{API_KEY}"',
    ):
        watched.desk.config.write_text(f"{line}\n{text}")
        watched.lpm("config", "check", code=3)


def test_an_rpc_that_fails_is_named_without_its_key(watched: Watched) -> None:
    for status, body in ((401, "who are you?"), (500, "oops"), (200, "<html>")):
        with loopback(always(status, body)) as server:
            watched.set_env(f"LPM_RPC_URL={server.url}/v2/{API_KEY}?apikey={API_KEY}")
            watched.lpm(*LIVE, code=4, LPM_PRIVATE_KEY=watched.desk.key)
    watched.set_env(f"LPM_RPC_URL=http://user:{API_KEY}@127.0.0.1:1/{API_KEY}")
    watched.lpm("-v", "run", "--once", code=4)
    watched.lpm("doctor", "--json", code=4)
    watched.set_env(f"LPM_RPC_URL=ftp://127.0.0.1/{API_KEY}")
    watched.lpm("config", "check", code=3)


def test_a_relay_an_owner_and_what_systemd_hands_over_leave_none_behind(watched: Watched) -> None:
    """The owner of a vault has a key and a password of his own."""
    desk, owner_key = watched.desk, "0x" + keccak(text="an owner").hex()
    watched.secrets.forms |= forms_of_key("owner's key", owner_key)
    watched.secrets.forms |= {"owner's password": OWNER_PASSWORD.encode()}
    watched.secrets.forms |= {"relay's key": RELAY_KEY.encode()}
    seal(watched, "key.json", desk.key, PASSWORD)
    seal(watched, "owner.json", owner_key, OWNER_PASSWORD)
    handed_over = watched.said / "credentials"
    handed_over.mkdir()
    for name, password in (("lpm-account", PASSWORD), ("lpm-owner", OWNER_PASSWORD)):
        (handed_over / name).touch(mode=0o600)
        (handed_over / name).write_text(password)
    watched.sign_by('keystore = "keys/key.json"', 'password_credential = "lpm-account"')
    owner = str(Account.from_key(owner_key).address)
    desk.devnet.give_native(owner, ETHER)
    terms = 'keystore = "keys/owner.json"\npassword_credential = "lpm-owner"\n'
    desk.edit("[schedule]", f'[owner]\naddress = "{owner}"\n{terms}\n[schedule]')
    rpc = (desk.folder / ".env").read_text()
    relay = rpc.replace("LPM_RPC_URL", "LPM_RELAY_URL").replace(API_KEY, RELAY_KEY)
    watched.set_env(rpc, relay)
    by_systemd = {"CREDENTIALS_DIRECTORY": str(handed_over)}
    for arguments in (("config", "show", "--json"), ("doctor",), ("-v", *LIVE)):
        watched.lpm(*arguments, **by_systemd)
    watched.lpm("-v", "vault", "deploy", "main", "--live", **by_systemd)
    deploy = ("vault", "deploy", "main", "--cooldown", "2h", "--live")
    watched.lpm(*deploy, code=3)
    (handed_over / "lpm-owner").write_text(OWNER_PASSWORD.lower())
    watched.lpm(*deploy, code=3, **by_systemd)
    watched.lpm("config", "show", LPM_OWNER_PRIVATE_KEY=owner_key)
    watched.set_env(rpc, f"LPM_RELAY_URL=ftp://user:{RELAY_KEY}@127.0.0.1:1/{RELAY_KEY}")
    watched.lpm("config", "check", code=3)


def test_a_signer_elsewhere_is_named_without_its_token(watched: Watched) -> None:
    with loopback_signer(watched.desk.key) as server:
        url = f"{server.url}/{SIGNER_TOKEN}"
        watched.sign_by(f'signer_url = "{url}"', 'signer_kind = "web3signer"')
        watched.lpm("config", "show")
        watched.lpm("doctor")
        watched.lpm(*LIVE)
    watched.lpm("doctor", "--json", code=4)
    watched.desk.edit('signer_kind = "web3signer"', 'signer_kind = "ledger"')
    watched.lpm("config", "check", code=3)


def test_a_traceback_shows_no_secret_though_the_key_is_in_memory(watched: Watched) -> None:
    seal_quickly(watched)
    (watched.desk.folder / "faulty.py").write_text(_FAULTY)
    watched.desk.edit('policy = "fixed_width"', 'policy = "faulty:Faulty"')
    watched.desk.edit('[campaigns.main.options]\nhalf_width_ticks = 600\ndeploy = "0.8"\n', "")
    traces = [
        watched.lpm("-v", *LIVE, code=1),
        watched.lpm(*LIVE, code=1, LPM_PRIVATE_KEY=watched.desk.key),
        watched.fresh(*LPM, *LIVE, code=1, PYTHONFAULTHANDLER="1", PYTHONDEVMODE="1"),
    ]
    for done in traces:
        assert "Traceback" in done.stderr
        assert "a fault of the user's own" in done.stderr


def test_what_is_searched_for_would_be_found(watched: Watched) -> None:
    """The search itself: each secret, in whatever a process says or writes, is seen."""
    for name, form in watched.secrets.forms.items():
        probe = Secrets(watched.secrets.forms)
        probe.search("a file", b"before " + form + b" after")
        assert f"{name} in a file" in probe.found
    # Until its input ends it is there to be looked at.
    begin = "'lpmanager'; import os, sys; sys.stdin.read(); "
    watched.fresh("-c", f"{begin}sys.stderr.write(os.environ['SECRET'])", SECRET=PASSWORD)
    (told,) = watched.secrets.found
    assert told.startswith("password in stderr")
    watched.secrets.found.clear()
    (watched.desk.folder / "diary.txt").write_text(watched.desk.key)
    watched.fresh("-c", f"{begin}print({API_KEY!r})")
    places = {found.split(" in ")[1].split(" ")[0] for found in watched.secrets.found}
    assert places == {"arguments", "stdout", str(watched.desk.folder / "diary.txt")}
    watched.secrets.found.clear()


def test_what_a_fault_test_leaves_of_its_secrets_is_found(tmp_path: Path) -> None:
    """Of keys, passwords and what stands in URLs, wherever it is but in its own file."""
    key = "0x" + "5e" * 32
    urls = f"http://127.0.0.1:8545/v2/{API_KEY} http://127.0.0.1:8546/v2/0ther{API_KEY}"
    (tmp_path / ".env").write_text(f"LPM_PRIVATE_KEY={key}\nLPM_RPC_URL={urls}\n")
    (tmp_path / "password").write_text(PASSWORD)
    sealed = Account.encrypt("0x" + "77" * 32, PASSWORD, kdf="pbkdf2", iterations=1)
    (tmp_path / "key.json").write_text(json.dumps(sealed))
    (tmp_path / "lpmanager.db").write_bytes(b"nothing of all that")
    assert leaks(tmp_path, {"stderr": "http://127.0.0.1:8545"}) == []
    for secret in (b"5e" * 32, b"\x5e" * 32, b"77" * 32, PASSWORD.encode(), API_KEY.encode()):
        (tmp_path / "lpmanager.db").write_bytes(b"before " + secret + b" after")
        assert leaks(tmp_path, {}) != []
        assert leaks(tmp_path, {}) == leaks(tmp_path, {"stderr": "all is well"})
    (tmp_path / "lpmanager.db").unlink()
    assert leaks(tmp_path, {"stderr": f"could not reach {urls}"}) != []
