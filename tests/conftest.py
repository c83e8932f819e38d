"""How all tests run.

Property tests have no deadline, because a busy machine is no bug. Where CI is set, hypothesis
chooses its own profile, which also repeats the same examples.
"""

import gc
from collections.abc import Iterator

import pytest
import structlog
from faults.table import reports_of, too_rare
from hypothesis import settings

if settings.get_current_profile_name() == "default":
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")

#: Python looks through all objects so often by itself that it costs a fourteenth of the suite.
_MADE_BETWEEN_COLLECTIONS = 20_000


def pytest_collection_finish() -> None:
    """What the modules and tests themselves consist of is no garbage to come: it is not looked
    through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MADE_BETWEEN_COLLECTIONS)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What the fault tests were to meet they have met, wherever all their runs were in a session.
    Only who tells of the session has all reports."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for line in too_rare(reports_of(reporter.stats)) if reporter else []:
        reporter.write_line(f"\ntoo rare: {line}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home folder of the tests' own: accounts are locked there, and a test leaves nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that a test runs in this process sends logs where the test then stops listening."""
    yield
    structlog.reset_defaults()
