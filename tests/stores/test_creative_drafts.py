"""Pictures and drafts of creatives in the database; the same on both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stores import creative_drafts
from stores.creative_drafts import AGAIN, MOST_TRIES, STALE, SqlCreativeDrafts, SqlCreativePictures
from stores.database import Database, new_id

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_draft_is_asked_for_once_taken_once_and_found_again(database: Database) -> None:
    drafts, draft_id = SqlCreativeDrafts(database), new_id()
    assert drafts.get(draft_id) is None
    for told in ({"facts": {"name": "Milk"}}, {"facts": {}}):
        drafts.ask(draft_id, "words", told, at=NOW)
    taken = drafts.claim(at=NOW)
    assert taken is not None
    assert (taken.kind, taken.told, taken.tries) == ("words", {"facts": {"name": "Milk"}}, 1)
    assert drafts.claim(at=NOW) is None
    drafts.finish(draft_id, {"drafts": []}, at=NOW)
    done = drafts.get(draft_id)
    assert done is not None
    assert (done.status, done.found) == ("done", {"drafts": []})


def test_a_draft_whose_maker_is_gone_is_made_by_the_next_and_one_that_fails_is_given_up(database: Database) -> None:
    drafts, draft_id, at = SqlCreativeDrafts(database), new_id(), NOW
    drafts.ask(draft_id, "background", {}, at=NOW)
    assert drafts.claim(at=at) is not None
    at += STALE + timedelta(seconds=1)
    draft = drafts.claim(at=at)
    while draft is not None and draft.tries < MOST_TRIES:
        drafts.put_off(draft, at=at)
        assert drafts.claim(at=at) is None
        at += AGAIN
        draft = drafts.claim(at=at)
    assert draft is not None
    drafts.put_off(draft, at=at)
    assert drafts.claim(at=at + timedelta(days=1)) is None


def test_a_draft_whose_makers_all_go_is_given_up_and_the_next_is_made(database: Database) -> None:
    drafts, broken, good, at = SqlCreativeDrafts(database), new_id(), new_id(), NOW
    drafts.ask(broken, "words", {}, at=NOW)
    for _ in range(MOST_TRIES):
        taken = drafts.claim(at=at)
        assert taken is not None
        assert taken.draft_id == broken
        at += STALE + timedelta(seconds=1)
    drafts.ask(good, "words", {}, at=at)
    taken = drafts.claim(at=at)
    assert taken is not None
    assert taken.draft_id == good
    found = drafts.get(broken)
    assert found is not None
    assert found.status == "failed"


def test_pictures_are_kept_up_to_a_number_and_one_that_is_sent_again_counts_as_new(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creative_drafts, "MOST_PICTURES", 2)
    pictures = SqlCreativePictures(database)
    for minute, name in enumerate(("a", "b", "a", "c")):
        pictures.put(name * 64, name.encode(), at=NOW + timedelta(minutes=minute))
    assert [pictures.get(name * 64) for name in "abc"] == [b"a", None, b"c"]
