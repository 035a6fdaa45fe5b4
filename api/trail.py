"""Writes down what API keys and staff do to the shop and to people, before they are told that it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.about import about
from stores.audit import SqlAudit
from stores.keys import Key

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
TRAFFIC = frozenset({
    "/v1/segments/count", "/v1/events", "/v1/recommendations", "/v1/widget-tokens", "/v1/coupons", "/v1/coupons/validate", "/v1/coupons/{code}/redeem",
    "/v1/coupons/{code}/rollback", "/v1/oauth/token", "/v1/experiments/{experiment_id}/exposures",
    "/v1/creative-campaigns/{campaign_id}/placements", "/v1/display-policy/preview", "/v1/tuning/preview", "/v1/campaigns/audience", "/v1/experiments/power",
    "/v1/batch", "/v1/identify", "/v1/track", "/v1/page", "/v1/screen", "/v1/alias",
    "/v1/agents/handoffs/{handoff_id}/read", "/v1/agents/handoffs/{handoff_id}/typing", "/v1/brand-kit/preview",
})  # fmt: skip
"""Routes that report and ask, many times a second, and those that only count or try out; the event log and the ledger are their record.

One of them is written where it leaves something in `request.state.told`: it did more than that."""
OF_SHOPPERS = ("member_id", "handoff_id", "conversation_id")
"""Path parameters that lead to a shopper: a keyed hash stands for them, so that an erasure leaves the record as it is."""


class Trail:
    """Appends a line for each request by which a key or somebody signed in changed something, or took a member's data out.

    What a kiosk does to members is written as well, under its device key, where its route says so. A route whose path does not lead to
    whom it is about leaves them in `request.state.about` (a line for each). It may leave more to be told in `request.state.told`; that
    holds no personal data.
    """

    def __init__(self, app: ASGIApp, audit: Callable[[], SqlAudit]) -> None:
        self._app, self._audit = app, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer only after the line is written."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_after(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                state, path = scope.get("state", {}), _template(scope)
                key: Key | None = state.get("key")
                if key is None and "told" in state:
                    key = state.get("device")
                if key is not None and ("told" in state or _told(scope["method"], path)):
                    await asyncio.to_thread(self._append, key, scope, path)
            await send(message)

        await self._app(scope, receive, send_after)

    def _append(self, key: Key, scope: Scope, path: str) -> None:
        audit, named, state = self._audit(), dict(scope.get("path_params", {})), scope["state"]
        name, value = next(iter(named.items()), ("", ""))
        detail = {"request_id": state.get("request_id", ""), **state.get("told", {})}
        lines = [(audit.of_member(one), more) for one, more in about(state).items()]
        for target, more in lines or [(audit.of_member(value) if name in OF_SHOPPERS else str(value), {})]:
            audit.append(actor(key), f"{scope['method']} {path}", target, {**detail, **more})


def actor(key: Key) -> str:
    """Return how the log names who asks: staff by the id of their account, so that the name can be erased."""
    kind = "device" if key.kind == "device" else "key"
    return f"staff {key.key_id.partition(':')[2]}" if key.kind == "staff" else f"{kind} {key.prefix}… {key.name}"


def _template(scope: Scope) -> str:
    """Return the path with its parameters' names in the place of their values."""
    named = {str(value): name for name, value in scope.get("path_params", {}).items()}
    return "/".join(f"{{{named[part]}}}" if part in named else part for part in scope["path"].split("/"))


def _told(method: str, path: str) -> bool:
    return (method in UNSAFE and path not in TRAFFIC) or path.endswith("/export")
