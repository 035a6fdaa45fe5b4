"""A promotion that was imported reaches the sentence that a shopper reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api import trained as parts
from api.settings import Settings
from api.wiring import Services
from personalization.types import Channel, Context, Purpose, StoreId, Subject
from stores.consents import ConsentEntry
from stores.database import Database
from stores.importing.files import import_folder
from tests.personalization.test_core import trained
from tests.small_shop import fill


@pytest.mark.parametrize("channel", [Channel.WIDGET, Channel.KIOSK])
def test_what_a_member_buys_is_told_to_be_on_display_in_that_store_alone(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    fill(sqlite_database)
    now = datetime.now(UTC) + timedelta(seconds=1)
    span = f"{(now - timedelta(days=1)).isoformat()},{(now + timedelta(days=1)).isoformat()}"
    rows = [f"dog-food-{n},s1,{span},display" for n in (1, 2, 3)]
    (tmp_path / "promotions.csv").write_text("\n".join(["product_id,store_id,starts_at,ends_at,placement", *rows]))
    monkeypatch.setattr(parts, "load", lambda _: trained())
    services = Services(Settings(state_dir=tmp_path, master_key="", _env_file=None), sqlite_database)  # type: ignore[call-arg]
    member = services.members.by_external_id("pets-1")
    assert member is not None
    located = ConsentEntry(member.member_id, Purpose.LOCATION, True, now, "test", "t")

    def sentences(store: str) -> list[str]:
        context = Context(channel, now, store_id=StoreId(store), slate_size=8)
        decision = services.core.decide(Subject(member.member_id), context)
        assert decision.fallbacks == ()
        return [item.reason.sentence for item in decision.slate if item.product.category == "Dog food"]

    before = sentences("s1")
    assert before
    assert not any("display" in sentence for sentence in before)
    assert import_folder(sqlite_database, tmp_path, currency="USD", progress=lambda *_: None).errors == []
    if channel is Channel.WIDGET:  # where a member is, is not used without consent
        assert not any("display" in sentence for sentence in sentences("s1"))
        services.consents.record([located])
    assert all("on display in your store" in sentence.lower() for sentence in sentences("s1"))
    assert not any("display" in sentence for sentence in sentences("s2"))
