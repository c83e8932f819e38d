"""How hard the fault tests try: `--faults=quick`, as `make test` does, or `--faults=full`; what
they measured, as a table, with `--faults-table`; the scenes that many of them begin from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from faults.leaks import leaks
from faults.scenes import Scene, all_scenes
from faults.table import FIGURES, LEAST, OF_SECRETS, ROW, ROWS, RUNS, reports_of, rows_of, table_of


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", choices=["quick", "full"], default="quick", help="how many seeds per fault"
    )
    parser.addoption(
        "--faults-table", action="store_true", help="print what was measured of each fault"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "seeds(quick, full): gives the test's `seed` so many values, from 0 on"
    )
    config.addinivalue_line(
        "markers", "fault_row(name): the row of the table of faults that the test belongs to"
    )
    config.addinivalue_line(
        "markers", "least(shares): of the test's runs, by figure, in how many it happened at least"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    marker = item.get_closest_marker("fault_row")
    if marker is not None:
        (name,) = marker.args
        if name not in ROWS:
            raise pytest.UsageError(f"{item.nodeid}: {name!r} is no row of faults/table.py")
        item.user_properties.append((ROW, name))
    least, seeds = item.get_closest_marker("least"), item.get_closest_marker("seeds")
    if least is not None and seeds is not None:
        (shares,) = least.args
        item.user_properties.append((LEAST, shares))
        item.user_properties.append((RUNS, _scaled(item.config, *seeds.args)))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("--faults-table", default=False):
        return
    terminalreporter.section(f"faults, {config.getoption('--faults')}")
    for line in table_of(rows_of(reports_of(terminalreporter.stats))):
        terminalreporter.write_line(line)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("seeds")
    if marker is not None:
        metafunc.parametrize("seed", range(_scaled(metafunc.config, *marker.args)))


_SAID = pytest.StashKey[dict[str, str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_SAID] = {
            "stdout": report.capstdout,
            "stderr": report.capstderr,
            "log": report.caplog,
        }
    return report


@pytest.fixture(autouse=True)
def nothing_secret_is_left(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """In what any fault test writes and says. Those about secrets search more, and plant some."""
    yield
    marker = request.node.get_closest_marker("fault_row")
    if marker is not None and marker.args[0] != OF_SECRETS:
        assert leaks(tmp_path, request.node.stash.get(_SAID, {})) == []


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> dict[str, int]:
    """What the test measured, for the table: counts by name, which are added up over its row. Of
    "most ..." the largest is told; "runs" is how many the test is worth, one without it."""
    measured: dict[str, int] = {}
    request.node.user_properties.append((FIGURES, measured))
    return measured


@pytest.fixture(scope="session")
def wallet_scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Scene]]:
    """Every run leaves its scene as it was, so that they are made once."""
    with all_scenes(tmp_path_factory.mktemp("wallet")) as made:
        yield made


@pytest.fixture(scope="session")
def vault_scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Scene]]:
    with all_scenes(tmp_path_factory.mktemp("vault"), in_vault=True) as made:
        yield made


@pytest.fixture(scope="session")
def scale(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """Chooses between the quick and the full count of something."""
    return lambda quick, full: _scaled(pytestconfig, quick, full)


def _scaled(config: pytest.Config, quick: int, full: int) -> int:
    return full if config.getoption("--faults", default="quick") == "full" else quick
