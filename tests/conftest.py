"""How property tests run: without a deadline, because a busy machine is no bug.

Where CI is set, hypothesis chooses its own profile, which also repeats the same examples.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

if settings.get_current_profile_name() == "default":
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home folder of the tests' own: accounts are locked there, and a test leaves nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield
