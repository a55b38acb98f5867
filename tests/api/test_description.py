"""The OpenAPI description: valid, complete, and true to what the routes are."""

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def spec(client) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json


def operations(spec: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_the_description_is_valid_openapi(spec):
    assert spec["openapi"] == "3.1.0"
    problems = [error.message for error in OpenAPIV31SpecValidator(spec).iter_errors()]
    assert problems == []


def test_every_route_of_the_api_is_described(app: Flask, spec):
    described = {(path, method) for path, method, _ in operations(spec)}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or rule.endpoint.startswith("docs."):
            continue
        path = re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (path, method.lower()) in described, f"{method} {rule.rule}"


def test_only_the_api_is_described(spec):
    assert {path for path in spec["paths"] if not path.startswith("/api/v1/")} == set()


def test_every_operation_says_what_it_does_and_how_it_fails(spec):
    for path, method, operation in operations(spec):
        where = f"{method} {path}"
        assert operation.get("summary"), where
        assert operation.get("tags"), where
        responses = operation["responses"]
        assert any(status.startswith("2") for status in responses), where
        for status in ("401", "403", "404", "422", "429"):
            content = responses[status]["content"]
            assert set(content) == {"application/problem+json"}, f"{where} {status}"
            assert responses[status]["description"], f"{where} {status}"
        for status, response in responses.items():
            assert response["description"], f"{where} {status}"


def test_every_post_takes_an_idempotency_key(spec):
    for path, method, operation in operations(spec):
        names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "header"]
        assert names.count("Idempotency-Key") == (method == "post"), f"{method} {path}"


def test_every_operation_has_an_id_of_its_own(spec):
    ids = [operation.get("operationId") for _, _, operation in operations(spec)]
    assert None not in ids
    assert len(set(ids)) == len(ids)


def test_every_schema_closes_what_it_takes(spec):
    """A body refuses fields that it does not name, and the description says so."""
    for path, method, operation in operations(spec):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            while "$ref" in schema:
                schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
            assert schema.get("additionalProperties") is False, f"{method} {path}"


def test_the_page_of_the_description_needs_no_sign_in(client):
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200
    assert "/api/v1/openapi.json" in answer.text
