"""The OpenAPI document: valid, with an example of every body, and with what lets somebody in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

import jsonschema_rs
import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter, ValidationError
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api.answer_examples import FILE, AnswerExamples, MissingExampleError
from api.app import create_app
from api.credentials import MEANINGS
from api.schemas import Body
from api.settings import Settings
from bench.access import Rule, rules
from tests.house.test_docs import ROOT

KEY = ("apiKey", "accessToken", "staffSession")
SEGMENT = ("batch", "identify", "track", "page", "screen", "alias")
FORGIVING = {f"POST /v1/{name}" for name in SEGMENT}
"""These read the body themselves, and each of its messages on its own."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(state_dir=tmp_path_factory.mktemp("state"), database_url="", worker="external"))


def operations(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    for label, operation in operations(app):
        if (body := operation.get("requestBody", {}).get("content", {}).get("application/json")) is not None:
            yield label, body


def whole(app: FastAPI, schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": {"schemas": app.openapi()["components"]["schemas"]}}


def example(app: FastAPI, body: dict[str, Any]) -> Any:
    if "example" in body:
        return body["example"]
    name = body["schema"].get("$ref", "").rsplit("/", 1)[-1]
    return next(iter(app.openapi()["components"]["schemas"].get(name, {}).get("examples", [])), None)


def _bodies_of(kind: type[Body]) -> Iterator[type[Body]]:
    for one in kind.__subclasses__():
        yield one
        yield from _bodies_of(one)


ODD: tuple[Any, ...] = (True, False, 0, 1, 1.5, "1", "true", "0.5", None, [], {}, ["a", "a"], [1], ["1"])


def test_no_field_of_a_body_takes_what_its_schema_refuses(app: FastAPI) -> None:
    assert app.openapi()  # every route's bodies are there
    taken = []
    for body in set(_bodies_of(Body)):
        for name, field in body.model_fields.items():
            reads: TypeAdapter[Any] = TypeAdapter(
                Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            )
            schema = jsonschema_rs.Draft202012Validator(reads.json_schema())
            for odd in (one for one in ODD if not schema.is_valid(one)):
                with suppress(ValidationError):
                    reads.validate_json(json.dumps(odd))
                    taken.append(f"{body.__name__}.{name} takes {odd!r}")
    assert taken == []


def test_the_document_is_valid(app: FastAPI) -> None:
    document = app.openapi()
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_every_body_has_an_example_that_its_schema_and_its_route_take(app: FastAPI) -> None:
    without, wrong = [], []
    fields = {
        f"{method} {route.path_format}": route.body_field
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if getattr(route, "body_field", None) is not None
    }
    for label, body in bodies(app):
        shown = example(app, body)
        if shown is None:
            without.append(label)
            continue
        checker = jsonschema_rs.Draft202012Validator(whole(app, body["schema"]), validate_formats=True)
        wrong += [f"{label}: {error.message}" for error in checker.iter_errors(shown)]
        if label not in FORGIVING:
            _, errors = fields[label].validate(shown, {}, loc=("body",))
            wrong += [f"{label}: {error['msg']}" for error in errors]
    assert (without, wrong) == ([], [])


def answers(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    for label, operation in operations(app):
        for status, response in operation["responses"].items():
            if status.startswith("2") and (told := response.get("content", {}).get("application/json")) is not None:
                yield f"{label} {status}", told


def test_every_answer_has_an_example_that_is_of_its_schema(app: FastAPI) -> None:
    without, wrong = [], []
    composed = AnswerExamples(app.openapi()["components"]["schemas"])
    for label, told in answers(app):
        if "example" not in told:
            try:
                without.append(f"{label}: {composed.of(told['schema'])}")
            except MissingExampleError as error:
                without.append(f"{label}: {error} has no example in its shape, nor in api/answer_examples.yml")
            continue
        checker = jsonschema_rs.Draft202012Validator(whole(app, told["schema"]), validate_formats=True)
        wrong += [f"{label}: {error.message}" for error in checker.iter_errors(told["example"])]
    assert (without, wrong) == ([], [])


def test_what_is_said_of_a_shapes_field_is_of_a_field_that_there_is(app: FastAPI) -> None:
    shapes: dict[str, set[str]] = {}
    for name, one in app.openapi()["components"]["schemas"].items():  # two modules may have one of the same name
        shapes.setdefault(name.rsplit("__", 1)[-1], set()).update(one.get("properties", {}))
    said = yaml.safe_load(FILE.read_text(encoding="utf-8"))["fields"]
    named = [key.split(".") for key in said if "." in key]
    assert [key for key in named if key[1] not in shapes.get(key[0], set())] == []


def test_every_operation_that_succeeds_with_json_says_of_what_shape(app: FastAPI) -> None:
    assert [label for label, told in answers(app) if not told["schema"]] == []


def test_answers_tell_of_the_fields_that_callers_go_by(app: FastAPI) -> None:
    told = dict(operations(app))
    read, changed = (told[f"{method} /v1/members/{{member_id}}"]["responses"] for method in ("GET", "PATCH"))
    assert {"ETag", "RateLimit", "RateLimit-Policy", "X-Request-Id"} <= read["200"]["headers"].keys()
    assert "304" in read
    assert {"ETag", "Idempotent-Replayed"} <= changed["200"]["headers"].keys()
    assert "ETag" in changed["412"]["headers"]
    assert "Retry-After" in changed["409"]["headers"], "the same request is being answered right now"
    for label, operation in told.items():
        assert {"Retry-After", "RateLimit"} <= operation["responses"]["429"]["headers"].keys() or " /v1/" not in label
    known = app.openapi()["components"]["headers"]
    named = {one["$ref"].rsplit("/", 1)[-1] for operation in told.values() for response in operation["responses"].values() for one in response["headers"].values() if "$ref" in one}  # fmt: skip
    assert named == set(known)


def test_a_text_without_an_example_leaves_its_answer_without_one_and_is_named() -> None:
    shapes = {"Made": {"type": "object", "properties": {"unheard_of": {"type": "string"}}}}
    with pytest.raises(MissingExampleError, match=r"Made\.unheard_of"):
        AnswerExamples(shapes).of({"$ref": "#/components/schemas/Made"})


def expected(rule: Rule) -> list[dict[str, list[str]]]:
    """Return the `security` of a route, by the matrix of who may call what."""
    first = rule.takes.split(" or ")[0]
    found: list[dict[str, list[str]]] = []
    if first in {"visitor", "member"}:
        found.append({"widgetToken": ["member"] if first == "member" else []})
    if rule.takes == "device":
        found.append({"deviceKey": []})
    if rule.takes == "session":
        found.append({"staffSession": []})
    if rule.scope:
        found += [{kind: [rule.scope]} for kind in KEY]
    if rule.path.removeprefix("/v1/") in SEGMENT:
        found.append({"basicKey": [rule.scope]})
    return found


def test_every_operation_tells_the_credentials_and_the_scope_that_the_matrix_of_callers_holds_it_to(
    app: FastAPI,
) -> None:
    told = {label: operation.get("security", []) for label, operation in operations(app)}
    assert told == {f"{rule.method} {rule.path}": expected(rule) for rule in rules()}


def test_every_credential_and_scope_that_is_told_is_explained(app: FastAPI) -> None:
    kinds = app.openapi()["components"]["securitySchemes"]
    used = {kind: set[str]() for kind in kinds}
    for _, operation in operations(app):
        for one in operation.get("security", []):
            for kind, scopes in one.items():
                used[kind] |= set(scopes)
    assert used["accessToken"] == set(MEANINGS) == set(kinds["accessToken"]["flows"]["clientCredentials"]["scopes"])
    assert all(one["description"] for one in kinds.values())
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [scope for scope, means in MEANINGS.items() if f"| `{scope}` | {means} |" not in page] == []
