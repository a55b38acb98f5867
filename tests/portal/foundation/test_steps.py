"""A transition table allows its steps and no other, and refuses in words."""

from enum import StrEnum

import pytest

from portal.foundation.errors import WrongState
from portal.foundation.i18n import _l
from portal.foundation.steps import Look, Step, Steps


class Light(StrEnum):
    """A lamp."""

    OFF = "off"
    ON = "on"
    BROKEN = "broken"


STEPS = Steps(
    {state: Look(_l(state.value.title())) for state in Light},
    [
        Step("switch_on", frozenset({Light.OFF}), Light.ON, _l("Switch on")),
        Step("smash", frozenset({Light.OFF, Light.ON}), Light.BROKEN, _l("Smash")),
    ],
)


def test_each_step_leads_from_its_sources_to_its_target():
    for state in Light:
        for step in STEPS.steps.values():
            if STEPS.allows(state, step.name):
                assert STEPS.target(state, step.name) == step.target
            else:
                with pytest.raises(WrongState, match=f"This is {STEPS.look(state).label} now"):
                    STEPS.target(state, step.name)


def test_open_steps_are_those_that_are_allowed():
    assert [step.name for step in STEPS.open_steps(Light.OFF)] == ["switch_on", "smash"]
    assert STEPS.open_steps(Light.BROKEN) == []
