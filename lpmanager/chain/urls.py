"""What an RPC's URL tells: whether it leaves this machine, and what must not be shown of it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

#: Shorter parts of a URL are words.
_SHORTEST_KEY = 8


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
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def secrets_in(url: str) -> list[str]:
    """The parts of a URL, behind its host or before it, that are long enough for a key."""
    parts = urlsplit(url)
    words = (parts.username, parts.password, *re.split(r"[/?&=]", f"{parts.path}?{parts.query}"))
    return [word for word in words if word and len(word) >= _SHORTEST_KEY]


def has_secret(url: str) -> bool:
    """Whether who reads the URL may learn a password or a key by it."""
    return urlsplit(url).password is not None or bool(secrets_in(url))
