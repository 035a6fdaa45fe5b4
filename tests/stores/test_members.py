"""Members whom two requests make, or merge with a visitor, at the same moment: the second finds what the first did."""

from __future__ import annotations

from typing import Any

import pytest

import stores.identifying
import stores.merges
from personalization.types import Purpose
from stores.consents import ConsentEntry, SqlConsents
from stores.database import Database
from stores.identifying import Saying, SqlIdentifying
from stores.members import Member, SqlMembers
from stores.merges import Merge, SqlMerges
from tests.small_shop import NOW


def test_who_is_made_meanwhile_is_changed(postgres_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has one writer, so that there it cannot happen."""
    members, real, made = SqlMembers(postgres_database), stores.identifying.new_id, list[Member]()

    def new_id() -> str:
        if not made:  # it was not there when we looked
            made.append(members.create(external_id="crm-1", display_name="crm-1", email=None, at=NOW))
        return real()

    monkeypatch.setattr(stores.identifying, "new_id", new_id)
    said = Saying("e-1", "crm-1", "Ada", "ada@example.org", NOW, may_change=True)
    found = SqlIdentifying(postgres_database).take(said, now=NOW)
    (member,) = members.page()
    assert (member.display_name, member.email) == ("Ada", "ada@example.org")
    assert [made[0].member_id] == [member.member_id] == [found.member_id]


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
