"""What strangers said, made fit to be quoted: an RPC's errors, a contract's reasons."""

from __future__ import annotations

#: Characters of it that are told.
MOST = 300


def in_one_line(said: str) -> str:
    """The beginning of it, without line breaks and codes that would move a terminal."""
    plain = "".join(c if c.isprintable() else " " for c in said[:MOST])
    return " ".join(plain.split()) + ("..." if len(said) > MOST else "")
