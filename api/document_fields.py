"""The header fields that answers have, and 304, as the OpenAPI document tells of them: they come from middleware that FastAPI does not see."""

from __future__ import annotations

from typing import Any

from api.errors import problems
from api.idempotency import UNSAFE


def _field(about: str, example: str) -> dict[str, Any]:
    return {"description": about, "schema": {"type": "string", "examples": [example]}}


FIELDS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _field("What the log calls this request.", "0197a3c2-5d3e-7c21-9a53-2f1f6f0f7a11"),
    "ETag": _field(
        "The state of what is told (RFC 9110): for `If-None-Match`, and for `If-Match` of what changes it. What was written has one where it has a state.",
        '"member-3.5f0c1d2e"',
    ),
    "RateLimit": _field(
        "What is left to who asks, where a quota counts them (draft-ietf-httpapi-ratelimit-headers).",
        '"key";r=1999;t=1',
    ),
    "RateLimit-Policy": _field(
        "The quota: requests at once, and seconds until all are there again.", '"key";q=2000;w=10'
    ),
    "Retry-After": _field("Seconds to wait.", "2"),
    "Idempotent-Replayed": _field("`true`: the answer of the first request with this `Idempotency-Key`.", "true"),
}
_UNCHANGED = "Nothing has changed since the `ETag` that `If-None-Match` named; no body."


def tell_fields(method: str, path: str, operation: dict[str, Any]) -> None:
    """Write into an operation which fields its answers may have, that a GET may be answered with 304, and what an `Idempotency-Key` may bring."""
    told = operation["responses"]
    names: dict[str, tuple[str, ...]]
    if not path.startswith("/v1/"):
        names = dict.fromkeys(told, ("X-Request-Id",))
    else:
        if method == "GET" and _is_kept(told):
            told["304"] = {"description": _UNCHANGED}
        if method in UNSAFE:
            told.setdefault("409", problems(409)[409])
        names = {status: _of_api(method, status, told) for status in told}
    for status, response in told.items():
        found = {name: {"$ref": f"#/components/headers/{name}"} for name in names[status]}
        response.setdefault("headers", {}).update(found)


def _of_api(method: str, status: str, told: dict[str, Any]) -> tuple[str, ...]:
    names = ["X-Request-Id", "RateLimit", "RateLimit-Policy"]
    if status == "412" or (status.startswith(("2", "3")) and ("304" in told or method != "GET")):
        names.append("ETag")
    if status in {"409", "429", "503"}:
        names.append("Retry-After")
    if method in UNSAFE:
        names.append("Idempotent-Replayed")
    return tuple(names)


def _is_kept(told: dict[str, Any]) -> bool:
    """Whether an answer is whole: a stream has no tag."""
    content = told.get("200", {}).get("content", {})
    return bool(content) and "text/event-stream" not in content
