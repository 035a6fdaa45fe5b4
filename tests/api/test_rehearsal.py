"""What the api does for nobody while it starts, so that a kiosk's first visitor does not wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from api.services.rehearsal import rehearse
from personalization.types import Channel
from stores.tables import metadata
from tests.api.conftest import Api


def rows(api: Api) -> dict[str, int]:
    with api.services.db.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def test_a_rehearsal_draws_the_posters_of_the_kiosks_and_leaves_no_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.services.kiosks.create("door", store_id="s1", at=datetime.now(UTC))
    maker = api.services.core_dependencies.creative
    assert maker is not None
    drawn: list[Channel] = []
    make = type(maker).make

    def noted(self: object, context: object, *more: object) -> object:
        drawn.append(context.channel)  # type: ignore[attr-defined]
        return make(self, context, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(maker), "make", noted)
    before = rows(api)
    rehearse(api.services)
    assert rows(api) == before
    assert len(drawn) >= 2
    assert set(drawn) == {Channel.KIOSK}


def test_a_rehearsal_that_fails_stops_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the shop is not open yet")

    monkeypatch.setattr(api.services.kiosks, "all", broken)
    rehearse(api.services)
    assert api.client.get("/healthz").status_code == 200
