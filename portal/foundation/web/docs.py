"""The API's description, and a page to read it."""

import json
import re
from typing import Any

from apiflask import APIFlask
from flask import Blueprint, Response, current_app, jsonify, render_template, url_for

from portal.foundation.web.policies import public

bp = Blueprint("docs", __name__, url_prefix="/api/v1")
DESCRIPTION = """Partners, deals, devices, service jobs, clubs and points.

A token acts as its user: what a page would not show is 404, what it would refuse is 403. Every
POST takes an `Idempotency-Key`, kept 30 days. Errors are `application/problem+json`.
"""
METHODS = ("get", "post", "put", "patch", "delete")
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
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same key and body give the first answer again, for 30 days.",
}
REPLAY_HEADER = {
    "Idempotent-Replay": {
        "description": "true when this is the first answer to the same key and body, given again.",
        "schema": {"type": "string", "const": "true"},
    }
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
    spec = _renamed(spec)
    components = spec.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    schemas.pop("HTTPError", None)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    spec["security"] = [{"bearer": []}]
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    demanding = _paths_that_demand_a_key()
    for path, methods in spec.get("paths", {}).items():
        for method, operation in methods.items():
            if method not in METHODS:
                continue
            operation.setdefault("security", [{"bearer": []}])
            for status, description in PROBLEMS.items():
                operation["responses"][status] = {"description": description, "content": content}
            if method == "post":
                needed = {"required": path in demanding}
                operation.setdefault("parameters", []).append(KEY_PARAMETER | needed)
                for status, response in operation["responses"].items():
                    if status.startswith("2"):
                        response["headers"] = REPLAY_HEADER
    return spec


def _renamed(spec: Any) -> Any:
    """Return the description with names of schemas that OpenAPI allows: letters, digits, dots."""
    text = json.dumps(spec)
    for name in spec.get("components", {}).get("schemas", {}):
        allowed = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_")
        if allowed != name:
            text = text.replace(f'schemas/{name}"', f'schemas/{allowed}"')
            text = text.replace(f'"{name}": ', f'"{allowed}": ')
    return json.loads(text)


def _paths_that_demand_a_key() -> set[str]:
    """Return the described paths whose POST is refused without an Idempotency-Key."""
    return {
        re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in current_app.url_map.iter_rules()
        if getattr(current_app.view_functions[rule.endpoint], "demands_key", False)
    }


def init_app(app: APIFlask) -> None:
    """Serve the description of every ApiBlueprint of `app`."""
    app.config["DESCRIPTION"] = DESCRIPTION
    app.config["AUTO_OPERATION_ID"] = True
    app.spec_processor(complete)
    app.register_blueprint(bp)
