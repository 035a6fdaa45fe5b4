"""What pages show and a filled shop has not: a campaign that runs with its posters, one that was simulated, a conversation at the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

POSTERS, LOOKS, LOOK_AGAIN_S = 6, 1_200, 0.25


async def staged(client: httpx.AsyncClient) -> Mapping[str, str]:
    """Make them by the api and return their ids: `plan` (a simulated draft), `running`, `poster` and `handoff`.

    A call that the api refuses is httpx.HTTPStatusError, a simulation that does not end RuntimeError.
    """
    plan = (await _campaign(client, "Bench"))["campaign_id"]
    await _simulate(client, plan)
    found = await _ask(client, "GET", "/v1/campaign-products?q=product")
    running = await _campaign(client, "Bench, running", posters_for=[found["products"][0]["product_id"]])
    [poster] = running["creative_campaign_ids"]
    await _ask(client, "POST", f"/v1/creative-campaigns/{poster}/designs", {"count": POSTERS, "seed": 0, "by": "bench"})
    for move in ("approve", "launch"):
        seen = {"if-match": f'"campaign-{running["version"]}"'}
        running = await _ask(client, "POST", f"/v1/campaigns/{running['campaign_id']}/{move}", headers=seen)
    return {
        "plan": plan, "running": running["campaign_id"], "poster": poster, "handoff": await _conversation(client),
    }  # fmt: skip


async def _campaign(client: httpx.AsyncClient, name: str, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    body = {
        "name": name, "budget_minor": 10_000, "starts_at": now.isoformat(), "ends_at": (now + timedelta(days=14)).isoformat(),
        "ladder": [{"discount_minor": 100}], **more,
    }  # fmt: skip
    return await _ask(client, "POST", "/v1/campaigns", body)


async def _simulate(client: httpx.AsyncClient, plan: str) -> None:
    await _ask(client, "POST", f"/v1/campaigns/{plan}/simulate", {"seed": 7})
    for _ in range(LOOKS):
        found = await _ask(client, "GET", f"/v1/campaigns/{plan}/simulations/newest")
        if found["state"] in {"done", "failed"}:
            return
        await asyncio.sleep(LOOK_AGAIN_S)
    raise RuntimeError("the simulation came to no end")


async def _conversation(client: httpx.AsyncClient) -> str:
    token = await _ask(client, "POST", "/v1/widget-tokens", {"visitor_id": str(uuid4())})
    shopper = {"Authorization": f"Bearer {token['token']}"}
    begun = await _ask(client, "POST", "/v1/conversations", headers=shopper)
    await _ask(client, "POST", f"/v1/conversations/{begun['conversation_id']}/handoff", headers=shopper)
    waiting = (await _ask(client, "GET", "/v1/agents/inbox"))["waiting"]
    handoff = str(waiting[-1]["handoff_id"])
    await _ask(client, "POST", f"/v1/agents/handoffs/{handoff}/claim")
    return handoff


async def _ask(
    client: httpx.AsyncClient, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    answer = await client.request(method, path, json=body, headers=headers)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
