"""What cameras may do in a store: switching it on and off, with what that must trigger at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from api.errors import ProblemError
from api.tags import tag
from api.wiring import Services
from stores.database import Check
from stores.keys import Key
from stores.kiosks import Kiosk
from stores.switches import Switch, Terms, Use


class Cameras:
    """Acts on the record of switches. `on_switched` is told the store whose displays must follow."""

    def __init__(self, services: Services, on_switched: Callable[[str], None]) -> None:
        self._services, self._on_switched = services, on_switched

    def enable(self, store_id: str, terms: Terms, *, by: str, check: Check[Switch | None] = None) -> None:
        """Switch the store's cameras on under these terms."""
        self._services.switches.enable(store_id, terms, by=by, at=datetime.now(UTC), check=check)
        self._on_switched(store_id)

    def disable(self, store_id: str, *, by: str, check: Check[Switch | None] = None) -> None:
        """Switch them off: displays turn anonymous before this returns."""
        self._services.switches.disable(store_id, by=by, at=datetime.now(UTC), check=check)
        self._on_switched(store_id)

    def status(self, store_id: str) -> dict[str, Any]:
        """Return what stands, since when, for which kiosks, and how it came about."""
        [told] = self.statuses([store_id])
        return told

    def statuses(self, store_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return what `status` does of each of these stores, with as many queries as for one."""
        histories, kiosks = self._services.switches.histories(store_ids), self._services.kiosks.all()
        return [
            _status(store_id, histories.get(store_id, []), [one.name for one in kiosks if one.store_id == store_id])
            for store_id in store_ids
        ]

    def stores(self) -> set[str]:
        """Return the stores that have a kiosk or a record."""
        stores = {switch.store_id for switch in self._services.switches.all()}
        stores |= {kiosk.store_id for kiosk in self._services.kiosks.all() if kiosk.store_id}
        return stores


def cameras_tag(switch: Switch | None) -> str:
    """Return the tag of what stands."""
    return tag("cameras", switch.number if switch else 0)


def notice(switch: Switch | None) -> dict[str, Any] | None:
    """Return the notice that hangs at the entrance, with what it stands for; None where cameras are off."""
    if switch is None or switch.terms is None:
        return None
    terms = switch.terms
    return {
        "uses": sorted(terms.uses), "purpose": terms.purpose, "retention_days": terms.retention_days,
        "version": switch.notice_version, "at": switch.at.isoformat(), "text": terms.notice,
    }  # fmt: skip


def who(key: Key) -> str:
    """Return how the record names the holder of a key, or who is signed in."""
    return (key.name if key.kind == "staff" else f"key {key.prefix}… {key.name}")[:120]


def must_be_on(services: Services, kiosk: Kiosk, use: Use) -> None:
    """ProblemError 403 where the kiosk's store has not switched `use` on."""
    if use in services.switches.uses(kiosk.store_id):
        return
    if kiosk.store_id is None:
        raise ProblemError(
            403, "not-switched-on", f"The kiosk {kiosk.name} belongs to no store, so that its camera recognises nobody."
        )
    detail = f"{use.capitalize()} is not switched on in store {kiosk.store_id}. An operator does it with `aisle vision enable`."
    raise ProblemError(403, "not-switched-on", detail)


def _status(store_id: str, history: Sequence[Switch], kiosks: Sequence[str]) -> dict[str, Any]:
    told = _told(history[-1]) if history else {"on": False, "uses": [], "notice": None}
    return {
        "store_id": store_id,
        **told,
        "kiosks": sorted(kiosks),
        "history": [_line(one) for one in history],
        "etag": cameras_tag(history[-1] if history else None),
    }


def _told(switch: Switch) -> dict[str, Any]:
    return {"on": switch.terms is not None, "uses": sorted(switch.uses), "notice": notice(switch)}


def _line(switch: Switch) -> dict[str, Any]:
    return {"number": switch.number, "by": switch.by, "at": switch.at.isoformat(), **_told(switch)}
