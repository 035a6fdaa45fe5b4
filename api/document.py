"""The OpenAPI document: what FastAPI finds in the routes, and what it does not know of: credentials with their scopes, and examples."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from api import errors, older
from api.answer_examples import AnswerExamples, MissingExampleError
from api.credentials import schemes, security
from api.document_fields import FIELDS, tell_fields
from api.schemas import EventIn
from api.schemas_kiosks import PlayIn
from api.sessions import cookie_name

DIALECT = "3.1.0"
EXAMPLES = Path(__file__).with_name("examples.yml")


def openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document, made at the first call."""
    if app.openapi_schema is None:
        app.openapi_schema = _made(app)
    return app.openapi_schema


def _made(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, openapi_version=DIALECT, description=app.description, tags=app.openapi_tags,
        routes=app.routes,
    )  # fmt: skip
    event = EventIn.model_json_schema(ref_template="#/components/schemas/{model}")
    shapes = {
        **event.pop("$defs"),
        "EventIn": event,
        "PlayIn": PlayIn.model_json_schema(),
        "Problem": errors.PROBLEM_SCHEMA,
    }
    document["components"]["schemas"].update(shapes)
    document["components"]["headers"] = FIELDS
    url = app.state.services.settings.resolved_public_url
    document["components"]["securitySchemes"] = schemes(url, cookie_name(url))
    answered = AnswerExamples(document["components"]["schemas"])
    examples: dict[str, Any] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                _secure(operation, route.dependant)
                _age(operation)
                _show(operation, f"{method} {route.path_format}", examples)
                _answer(operation, answered)
                tell_fields(method, str(route.path_format), operation)
    return document


def _secure(operation: dict[str, Any], dependant: Dependant) -> None:
    """Replace what FastAPI tells, which is that some bearer is read somewhere."""
    operation.pop("security", None)
    if found := security(dependant):
        operation["security"] = found


def _show(operation: dict[str, Any], label: str, examples: dict[str, Any]) -> None:
    """Put an example beside the schema of a JSON body, where there is one."""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is None:
        return
    shape = next((one["$ref"] for one in (body["schema"], *body["schema"].get("anyOf", ())) if "$ref" in one), "")
    found = examples.get(label, examples.get(shape.rsplit("/", 1)[-1]))
    if found is not None:
        body["example"] = found


def _answer(operation: dict[str, Any], answered: AnswerExamples) -> None:
    """Put an example beside the schema of each JSON answer, where all of its fields have one."""
    for status, response in operation["responses"].items():
        told = response.get("content", {}).get("application/json")
        if told and status.startswith("2") and "example" not in told:
            with contextlib.suppress(MissingExampleError):
                told["example"] = answered.of(told["schema"])


def _age(operation: dict[str, Any]) -> None:
    """Tell of the field that who uses something older is answered with."""
    names = [one["name"] for one in operation.get("parameters", ()) if one.get("deprecated")]
    if names:
        successor = " and ".join(older.SUCCESSORS[name] for name in names)
        field = {
            "description": f"Since when what was used is deprecated (RFC 9745); {successor} is what replaces it.",
            "schema": {"type": "string", "examples": [older.FIELDS["Deprecation"]]},
        }
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                response.setdefault("headers", {})["Deprecation"] = field
