"""The API does what its description says, whatever is sent: tried by schemathesis."""

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import accounts, clubs, deals, partners, service_jobs

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 4, GenerationMode.NEGATIVE: 2}


@pytest.fixture
def known(app: Flask) -> dict[str, dict[str, Any]]:
    """One thing of each kind, by the beginning of the paths that lead to it."""
    with app.app_context():
        club = clubs.make_club()
        lin = clubs.make_lin(club)
        job = service_jobs.job(service_jobs.fixit())
        deal = deals.draft(partners.north())
        return {
            "/api/v1/clubs/": {"club": club.code},
            "/api/v1/members/": {"number": lin.number},
            "/api/v1/service-jobs/": {"reference": job.reference},
            "/api/v1/deals/": {"reference": deal.reference},
            "/api/v1/partners/": {"reference": "FIXIT"},
        }


@pytest.fixture
def headers(app: Flask) -> dict[str, str]:
    with app.app_context():
        token = accounts.make_token(accounts.make_user("admin@vendor.example"))
    return {"Authorization": f"Bearer {token}"}


def operations(app: Flask) -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for found in schema.get_all_operations():
        yield found.ok()


def disagreements(
    operation: Any, mode: GenerationMode, seen: Counter[int], **given_values: Any
) -> list[str]:
    """Return what the answers to a few generated requests do other than the description says."""
    found: list[str] = []

    @seed(20_261_123)
    @settings(
        max_examples=EXAMPLES[mode],
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **given_values))
    def ask(case: Any) -> None:
        try:
            seen[case.call_and_validate(checks=CHECKS).status_code] += 1
        except (Failure, FailureGroup) as failure:
            parts = getattr(failure, "exceptions", [failure])
            found.extend(f"{part.title}: {part.message}"[:600] for part in parts)

    ask()
    return found


def test_answers_are_as_described(app: Flask, headers, known):
    faults: dict[str, list[str]] = {}
    seen: Counter[int] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tool itself
        for operation in operations(app):
            values: dict[str, Any] = {"headers": headers}
            for start, parameters in known.items():
                if operation.path.startswith(start):
                    values["path_parameters"] = parameters
            for mode in EXAMPLES:
                # Some operations take nothing that could be wrong.
                with contextlib.suppress(schemathesis.errors.SchemathesisError, Unsatisfiable):
                    found = disagreements(operation, mode, seen, **values)
                    if found:
                        faults[f"{operation.method.upper()} {operation.path}"] = found
    assert faults == {}
    assert min(seen[200], seen[201], seen[404], seen[422]) > 0, seen
    assert seen[401] == seen[403] == 0
