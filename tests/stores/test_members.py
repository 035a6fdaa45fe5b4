"""Members whom two requests make, or merge with a visitor, at the same moment: the second finds what the first did."""

from __future__ import annotations

from typing import Any

import pytest

import stores.merges
from personalization.types import Purpose
from stores.consents import ConsentEntry, SqlConsents
from stores.database import Database
from stores.members import Member, SqlMembers
from stores.merges import Merge, SqlMerges
from tests.small_shop import NOW


def test_who_is_made_meanwhile_is_changed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    members, real, looked = SqlMembers(database), SqlMembers.by_external_id, list[str]()

    def by_external_id(self: SqlMembers, external_id: str) -> Member | None:
        looked.append(external_id)
        if len(looked) > 1:
            return real(self, external_id)
        members.create(external_id=external_id, display_name=external_id, email=None, at=NOW)
        return None  # it was not there when we looked

    monkeypatch.setattr(SqlMembers, "by_external_id", by_external_id)
    found = members.upsert("crm-1", display_name="Ada", email="ada@example.org", at=NOW)
    assert (found.display_name, found.email) == ("Ada", "ada@example.org")
    assert [one.member_id for one in members.page()] == [found.member_id]


def test_a_pair_that_is_merged_meanwhile_is_merged_once(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer, so that there it cannot happen."""
    me = SqlMembers(postgres_database).create(external_id="crm-1", display_name="Ada", email=None, at=NOW).member_id
    SqlConsents(postgres_database).record([ConsentEntry(me, Purpose.PROFILING, True, NOW, "api", "1")])
    merges, real, first = SqlMerges(postgres_database), stores.merges.granted_to, list[Merge | None]()

    def granted_to(*args: Any) -> Any:
        if not first:
            first.append(None)
            first[0] = merges.merge("v-1", me, at=NOW, source="identify")
        return real(*args)

    monkeypatch.setattr(stores.merges, "granted_to", granted_to)
    second = merges.merge("v-1", me, at=NOW, source="alias")
    assert first == [second]
    assert merges.page() == first
