"""The API's description, and a page to read it."""

from typing import Any

from apiflask import APIFlask
from flask import Blueprint, Response, current_app, jsonify, render_template, url_for

from portal.foundation.web.policies import public

bp = Blueprint("docs", __name__, url_prefix="/api/v1")
DESCRIPTION = """Partners, deals, devices, service jobs, clubs and points.

A token acts as its user: what a page would not show is 404, what it would refuse is 403. Every
POST takes an `Idempotency-Key`, kept 30 days. Errors are `application/problem+json`.
"""
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "What rule said no, in snake_case."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "request_id": {"type": "string"},
    },
}
PROBLEMS = {
    "400": "The request cannot be read, or an Idempotency-Key is missing.",
    "401": "No valid token.",
    "403": "The token's user may not do this.",
    "404": "There is no such thing for this user.",
    "405": "The address does not take this method.",
    "409": "The state forbids the step, or the Idempotency-Key was used with another body.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "A field or a rule of the business says no.",
    "429": "Too many requests.",
}
KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 200},
    "description": "The same key and body give the first answer again, for 30 days.",
}


@bp.get("/openapi.json")
@public
def openapi() -> Response:
    """Show the OpenAPI 3.1 description."""
    app: Any = current_app
    return jsonify(app.spec)


@bp.get("/docs")
@public
def read() -> str:
    """Show the description as a page."""
    return render_template("layouts/api_docs.html", spec_url=url_for(".openapi"))


def complete(spec: Any) -> Any:
    """Add to a generated description what holds for every call."""
    components = spec.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    spec["security"] = [{"bearer": []}]
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in spec.get("paths", {}).values():
        for method, operation in path.items():
            if not isinstance(operation, dict):
                continue
            operation.setdefault("security", [{"bearer": []}])
            for status, description in PROBLEMS.items():
                operation["responses"][status] = {"description": description, "content": content}
            if method == "post":
                operation.setdefault("parameters", []).append(KEY_PARAMETER)
    return spec


def init_app(app: APIFlask) -> None:
    """Serve the description of every ApiBlueprint of `app`."""
    app.config["DESCRIPTION"] = DESCRIPTION
    app.spec_processor(complete)
    app.register_blueprint(bp)
