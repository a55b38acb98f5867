"""Transition tables: one for each thing with states; checks, buttons, API and docs read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from portal.foundation.errors import WrongState
from portal.foundation.i18n import LazyText, _l

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is drawn: a word, a shape and a tone; never by colour alone."""

    label: LazyText
    shape: str = "ring"
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """A step from any of some states to one.

    name: verb, also the last part of the address and of the policy `may_<name>`. label: the
    button. kind: primary, outline or quiet. confirm: asked before it is done.
    """

    name: str
    sources: frozenset[S]
    target: S
    label: LazyText
    kind: str = "outline"
    confirm: LazyText | None = None


class Steps(Generic[S]):
    """All steps of one thing, and how its states look."""

    def __init__(self, looks: dict[S, Look], steps: Iterable[Step[S]]) -> None:
        self.looks = looks
        self.steps = {step.name: step for step in steps}

    def look(self, state: S) -> Look:
        """Return how `state` is drawn."""
        return self.looks[state]

    def allows(self, state: S, name: str) -> bool:
        """Return whether the step `name` may be taken from `state`."""
        return state in self.steps[name].sources

    def target(self, state: S, name: str) -> S:
        """Return the state after the step `name`; refuses (WrongState) from a wrong state."""
        step = self.steps[name]
        if state not in step.sources:
            raise WrongState(
                _l(
                    "This is %(state)s now, so that step is not possible.",
                    state=self.looks[state].label,
                )
            )
        return step.target

    def open_steps(self, state: S) -> list[Step[S]]:
        """Return the steps that lead out of `state`, in the table's order."""
        return [step for step in self.steps.values() if state in step.sources]
