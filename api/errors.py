"""RFC 9457 problem documents for everything that goes wrong at the edge."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from stores.errors import (
    ChangedError,
    ConflictError,
    CouponError,
    CouponExpiredError,
    GivenUpError,
    LedgerBusyError,
    NotFoundError,
    PastTermError,
    SelfApprovalError,
    StoreError,
)

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
_PLACE = re.compile(r"\{[^}]*\}")
_STORE: dict[type[StoreError], tuple[int, str]] = {  # the first that fits
    CouponExpiredError: (410, "coupon-expired"), NotFoundError: (404, "not-found"), ChangedError: (412, "changed"), ConflictError: (409, "conflict"),
    SelfApprovalError: (403, "second-person"), GivenUpError: (409, "idempotency-key-in-use"), PastTermError: (410, "past-term"),
    StoreError: (503, "storage"),
}  # fmt: skip
_CODES = {413: "too-large"}  # Python's own name for it changes between versions


class ProblemError(Exception):
    """An answer that says what went wrong and what to do; `code` is stable for machines."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers, self.more = status, code, detail, headers, more


def problem(
    request: Request, status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return the problem document."""
    body = {
        "type": f"urn:aisle:problem:{code}", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code,
        "instance": request.url.path, "request_id": getattr(request.state, "request_id", None), **more,
    }  # fmt: skip
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""

    @app.exception_handler(ProblemError)
    def _problem(request: Request, error: ProblemError) -> JSONResponse:
        return problem(request, error.status, error.code, error.detail, error.headers, **error.more)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        places = [{"where": ".".join(map(str, e["loc"])), "reason": e["msg"]} for e in error.errors()]
        detail = "; ".join(f"{place['where']}: {place['reason']}" for place in places[:3])
        return problem(request, 422, "invalid", detail, errors=places)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods(app, request)) or headers.get("Allow", "")
        named = HTTPStatus(error.status_code).name.lower().replace("_", "-")
        code = _CODES.get(error.status_code, named)
        return problem(request, error.status_code, code, str(error.detail), headers)

    @app.exception_handler(StoreError)
    def _store(request: Request, error: StoreError) -> JSONResponse:
        status, code = next(answer for kind, answer in _STORE.items() if isinstance(error, kind))
        if isinstance(error, CouponError):
            code = error.code
            request.app.state.services.metrics.count_refusal(code)
        wait = {"Retry-After": "1"} if isinstance(error, GivenUpError | LedgerBusyError) else None
        more = {"by": error.by} if isinstance(error, ChangedError) else {}
        return problem(request, status, code, str(error), wait, **more)

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> JSONResponse:
        log.exception("unexpected error", path=request.url.path, kind=type(error).__name__)
        return problem(
            request, 500, "internal", "Something went wrong on our side. Quote the request id when you report it.",
            {"X-Request-Id": str(getattr(request.state, "request_id", "")), "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"},
        )  # fmt: skip


def _methods(app: FastAPI, request: Request) -> list[str]:
    """Return every method of an address: its first route alone knows only its own, and `/segments/map` is no segment, nor `/films/a.mp4` a film."""
    path = request.url.path
    fits = [route for route in iter_route_contexts(app.routes) if route.path_format and route.path_regex.match(path)]
    plain = [len(_PLACE.sub("", route.path_format or "")) for route in fits]
    return sorted(
        {method for route, own in zip(fits, plain, strict=True) if own == max(plain) for method in route.methods or ()}
    )


_TOLD = {
    400: "The request cannot be understood; `detail` says why.",
    401: "No key or token, or one that does not work.", 403: "The key may not do this.", 404: "There is no such thing.",
    409: "This contradicts what is stored; `detail` says what.", 410: "This was valid once, and is no more.",
    412: "Somebody else has changed it meanwhile; read it again.", 428: "Send `If-Match` with the `ETag` that was read.",
    413: "The body is too large.", 415: "This is no file of a kind that is taken here.", 416: "The file ends before this range begins.", 422: "The request is not valid; `errors` says where.",
    429: "Too many requests; wait as `Retry-After` says.", 503: "A part that this needs is not there; `detail` says what to do.",
}  # fmt: skip


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return how the documentation tells of problems with these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {one: {"description": _TOLD[one], "content": {MEDIA_TYPE: {"schema": schema}}} for one in statuses}


PROBLEM_SCHEMA = {
    "type": "object", "required": ["type", "title", "status", "detail", "code"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
                   "code": {"type": "string"}, "instance": {"type": "string"}, "request_id": {"type": ["string", "null"]},
                   "by": {"type": ["string", "null"], "description": "Who was faster, where that is known (412)."}},
}  # fmt: skip
