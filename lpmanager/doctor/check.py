"""One thing that must be right, and what was found of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lpmanager.errors import LpmError


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One precondition of `subject`: a campaign, a chain or a part of the configuration.

    `found` says what was seen and, where it failed, how to mend it; `details` are figures for
    other programs, `paste` lines that may be added to lpmanager.toml. Where one that is `needed`
    fails, what builds on it is not looked at.
    """

    subject: str
    name: str
    passed: bool
    found: str
    details: Mapping[str, str] = field(default_factory=dict)
    paste: str = ""
    needed: bool = False


def attempt(subject: str, name: str, look: Callable[[], str], *, needed: bool = False) -> Check:
    """What `look` found, or the error that tells how to mend it; of the system's own errors, what
    it says."""
    try:
        return Check(subject=subject, name=name, passed=True, found=look(), needed=needed)
    except (LpmError, OSError) as error:
        return Check(subject=subject, name=name, passed=False, found=str(error), needed=needed)
