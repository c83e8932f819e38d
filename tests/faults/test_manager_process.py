"""A manager that gets stuck is told from one that is well again in time."""

from __future__ import annotations

import pytest
from faults.manager_process import Manager, Wellbeing, Went

from lpmanager.cycle import Campaign
from lpmanager.errors import RpcUnavailable


def test_a_manager_that_is_stuck_is_found_out() -> None:
    """Whatever it meets it tells as trouble, as the real one does, and for ever."""
    manager, wellbeing = AManagerThatNoNodeAnswers(), Wellbeing()
    for disturbed in (True, True, False, False):
        wellbeing.saw(manager.cycle(), disturbed=disturbed)
    with pytest.raises(AssertionError):
        wellbeing.saw(manager.cycle(), disturbed=False)


def test_a_manager_that_is_well_again_in_time_is_not() -> None:
    manager, wellbeing, well = AManagerThatNoNodeAnswers(), Wellbeing(), Went(True, False)
    for _ in range(3):
        for disturbed in (True, False, False):
            wellbeing.saw(manager.cycle(), disturbed=disturbed)
        wellbeing.saw(well, disturbed=False)
    assert (wellbeing.acted, wellbeing.troubled) == (3, 9)


class AManagerThatNoNodeAnswers(Manager):
    """Whose campaign never opens."""

    def __init__(self) -> None:
        self._campaign = None

    def _open(self) -> Campaign:
        raise RpcUnavailable("nobody answers")
