"""A devnet with a market on it, and desks of users who point `lpm` at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from devnet_world import World, a_world
from live_desk import Desk, Devnet, a_devnet, a_funded_desk, new_desk


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with a_devnet() as made:
        yield made


@pytest.fixture
def desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A desk with 50,000 USDC and 22 WETH, and native coin for gas."""
    return a_funded_desk(devnet, tmp_path, request.node.nodeid)


@pytest.fixture
def poor_desk(devnet: Devnet, tmp_path: Path, request: pytest.FixtureRequest) -> Desk:
    """A desk whose account holds nothing at all."""
    return new_desk(devnet, tmp_path, request.node.nodeid)


@pytest.fixture(params=["eth-tester", "anvil"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The real contracts on either chain; of the smaller kind, on one."""
    with a_world(request.param) as made:
        yield made


@pytest.fixture
def small_world() -> Iterator[World]:
    with a_world() as made:
        yield made
