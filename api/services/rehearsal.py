"""A first decision for nobody, while the api starts: the first visitor of a kiosk does not wait for what is only slow once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from api.wiring import Services
from personalization.core import Core
from personalization.decisions import Decision
from personalization.types import Channel, Context, DecisionId, MemberId, Purpose, StoreId, Subject, VisitorId
from stores.database import new_id

log = structlog.get_logger(__name__)
ITEMS = 4


class _Everything:
    """Grants all for a member who does not exist, so that what is asked of members is asked once; there is nothing to find."""

    def granted(self, _subject: Subject, *, at: datetime) -> frozenset[Purpose]:
        """See Consents."""
        del at
        return frozenset(Purpose)


class _Nowhere:
    """Keeps no decision."""

    def append(self, _decision: Decision) -> None:
        """See DecisionLog."""

    def get(self, _decision_id: DecisionId) -> Decision | None:
        """See DecisionLog."""
        return None


def rehearse(services: Services) -> None:
    """Decide as for a member and as for a visitor of each shop with a kiosk; nothing is logged, no coupon is held.

    Queries are compiled, models have run, and the posters of what is popular there are drawn. What fails here fails again, and is
    told of, when somebody asks.
    """
    try:
        dependencies = replace(
            services.core_dependencies, consents=_Everything(), decisions=_Nowhere(), experiments=None, allocator=None
        )
        core, maker = Core(dependencies), dependencies.creative
        for store in {kiosk.store_id for kiosk in services.kiosks.all()}:
            context = Context(
                Channel.KIOSK, datetime.now(UTC), StoreId(store) if store else None, slate_size=ITEMS, wants_coupon=True, wants_creative=True
            )  # fmt: skip
            core.decide(Subject(MemberId(new_id()), VisitorId(new_id())), context)
            stranger = core.decide(Subject(None, VisitorId(new_id())), replace(context, wants_coupon=False))
            for item in stranger.slate if maker is not None else ():
                maker.make(stranger.context, item, None)  # type: ignore[union-attr]
    except Exception as error:  # noqa: BLE001  a rehearsal may fail, the show goes on
        log.warning("the rehearsal failed", cause=type(error).__name__)


def begin(services: Services) -> None:
    """Rehearse on a thread of its own, so that the api answers meanwhile."""
    threading.Thread(target=rehearse, args=(services,), name="rehearsal", daemon=True).start()
