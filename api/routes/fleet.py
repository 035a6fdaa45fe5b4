"""All kiosks at a glance: are they there, and what do they show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends

from api.answers import answers
from api.answers_fleet import FleetOut, Light
from api.auth import api_key
from api.routes.deps import ServicesDep
from stores.kiosks import Health, Kiosk

router = APIRouter(tags=["Kiosks"], dependencies=[Depends(api_key("kiosks"))])
FRESH = timedelta(minutes=1)
MOST_ITEMS = 3


@router.get("/fleet", summary="See every kiosk at a glance", **answers(FleetOut))
def fleet(services: ServicesDep) -> dict[str, Any]:
    """Return each kiosk with its page's and its camera's signs of life, and what it shows now.

    A personal screen tells nothing but that it is personal: staff look at shop windows, not at shoppers.
    """
    now, health = datetime.now(UTC), services.kiosk_health.all()
    watched = {switch.store_id for switch in services.switches.all() if switch.uses}
    return {
        "kiosks": [
            _line(services, kiosk, health.get(kiosk.kiosk_id, Health()), now, watching=kiosk.store_id in watched)
            for kiosk in services.kiosks.all()
        ]
    }


def _line(services: ServicesDep, kiosk: Kiosk, health: Health, now: datetime, *, watching: bool) -> dict[str, Any]:
    display = _light(health.display_seen_at, now)
    current = services.bus.current(kiosk.kiosk_id) if display == "on" else None
    return {
        "kiosk_id": kiosk.kiosk_id, "name": kiosk.name, "store_id": kiosk.store_id, "display": display,
        "display_seen_at": _told(health.display_seen_at), "camera": _light(health.camera_seen_at, now) if watching else "off",
        "camera_seen_at": _told(health.camera_seen_at), "camera_late_s": health.late_s,
        "shown": _shown(current, personal=_personal(current) or bool(services.bus.shows(kiosk.kiosk_id))) if current else None,
    }  # fmt: skip


def _personal(display: Mapping[str, Any]) -> bool:
    """Whether the screen itself says that it is somebody's: the bus may know already that they have left."""
    return bool(display.get("privacy", {}).get("recognised", True))


def _light(seen: datetime | None, now: datetime) -> Light:
    if seen is None:
        return "never"
    return "on" if now - seen < FRESH else "silent"


def _told(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _shown(display: Mapping[str, Any], *, personal: bool) -> dict[str, Any]:
    if personal:
        return {
            "mode": display["mode"],
            "personal": True,
            "headline": None,
            "poster_url": None,
            "items": [],
            "decision_id": None,
        }
    poster = display.get("poster") or {}
    return {
        "mode": display["mode"], "personal": False, "headline": display.get("headline"), "poster_url": poster.get("url"),
        "items": [{"name": item["name"], "picture_url": item["picture_url"]} for item in display.get("items", [])[:MOST_ITEMS]],
        "decision_id": display.get("decision_id"),
    }  # fmt: skip
