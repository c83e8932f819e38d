"""What an RPC's URL tells: whether it leaves this machine, and what must not be shown of it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from lpmanager.foreign_words import in_one_line

#: Shorter parts of a URL are words.
_SHORTEST_KEY = 8
#: A part of a host's name that looks drawn at random, as some providers' keys are.
_KEY_IN_HOST = re.compile(r"(?=.*\d)(?:[0-9a-z]{20,}|[0-9a-z-]{32,})")


def is_loopback(url: str) -> bool:
    """Whether what is sent there stays on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False  # a name, of which nobody knows where it leads tomorrow


def masked(url: str) -> str:
    """The URL without what may be an API key: scheme and host only."""
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    host = ".".join("***" if _KEY_IN_HOST.fullmatch(label) else label for label in labels)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def secrets_in(url: str) -> list[str]:
    """The parts of a URL that look like a key, or are long enough for one outside its host."""
    parts = urlsplit(url)
    words = (parts.username, parts.password, *re.split(r"[/?&=]", f"{parts.path}?{parts.query}"))
    return [
        *(word for word in words if word and len(word) >= _SHORTEST_KEY),
        *filter(_KEY_IN_HOST.fullmatch, (parts.hostname or "").split(".")),
    ]


def quoted(said: str, url: str) -> str:
    """What a server said in a short line; it may repeat the key in the URL it was asked at."""
    said = said.replace(url, masked(url))
    for secret in secrets_in(url):
        said = said.replace(secret, "***")
    return in_one_line(said)


def has_secret(url: str) -> bool:
    """Whether who reads the URL may learn a password or a key by it."""
    return urlsplit(url).password is not None or bool(secrets_in(url))
