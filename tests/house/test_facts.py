"""Each fact tells what happened and what each of its fields holds."""

import dataclasses
import re

from portal.foundation.facts import FACTS, LISTENERS, Fact

PLAIN = re.compile(
    r"(int|str|bool|date|datetime|Decimal|tuple\[(int|str|date), \.\.\.\])( \| None)?"
)


def faults(kind: type[Fact]) -> list[str]:
    """Return what is missing in the description of a kind of fact."""
    found = []
    settings = vars(kind).get("__dataclass_params__")
    if settings is None or not settings.frozen:
        found.append(f"{kind.__name__} is no frozen dataclass")
        return found
    doc = kind.__doc__ or ""
    if doc.startswith(f"{kind.__name__}("):
        doc = ""  # dataclasses put the signature there when nothing is written
    if not doc:
        found.append(f"{kind.__name__} has no docstring")
    shared = [base.__doc__ or "" for base in kind.__mro__[1:] if issubclass(base, Fact)]
    doc = "\n".join([doc, *shared])  # fields of a common base are described there
    for declared in dataclasses.fields(kind):
        if not re.search(rf"\b{declared.name}\b[\w, ]*:", doc):
            found.append(f"{kind.__name__}.{declared.name} is not described")
        spelled = declared.type if isinstance(declared.type, str) else _spelled(declared.type)
        if not PLAIN.fullmatch(spelled):
            found.append(f"{kind.__name__}.{declared.name} is {spelled}, no plain value")
    return found


def _spelled(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else re.sub(r"\b\w+\.", "", str(kind))


@dataclasses.dataclass(frozen=True)
class DealSampled(Fact):
    """A deal was taken as a sample.

    deal_id, by_id: the deal and the user. amount: of the deal.
    """

    deal_id: int
    by_id: int | None
    amount: str


@dataclasses.dataclass(frozen=True)
class DealForgotten(Fact):
    """A deal was forgotten."""

    deal_id: int
    deal: object


def test_a_fact_without_description_is_found():
    assert faults(DealSampled) == []
    assert faults(DealForgotten) == [
        "DealForgotten.deal_id is not described",
        "DealForgotten.deal is not described",
        "DealForgotten.deal is object, no plain value",
    ]


def test_every_fact_is_described(app):
    assert [fault for kind in FACTS.values() for fault in faults(kind)] == []


def test_facts_are_named_after_their_slice(app):
    for name, kind in FACTS.items():
        slice_name = kind.__module__.split(".")[1]
        assert re.fullmatch(rf"{slice_name}\.[a-z_]+", name), name


def test_every_listener_hears_a_fact_that_exists(app):
    assert {fact for fact, _ in LISTENERS.values()} <= set(FACTS)
