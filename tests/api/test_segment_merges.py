"""Visitors who turn out to be members: merged with consent, undone, and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from personalization.types import EventType
from stores.database import new_id
from stores.events import Event
from stores.merge_tables import merges
from tests.api.conftest import Api
from tests.api.test_segment import ANONYMOUS, batch, database, stored, track
from tests.stores.test_erasure import every_value

__all__ = ["database"]


def test_a_visitor_who_turns_out_to_be_a_member_is_merged_and_the_merge_can_be_undone(api: Api) -> None:
    viewed = {"type": "track", "event": "Product Viewed", "properties": {"sku": "cheese-1"}, "anonymousId": ANONYMOUS}
    batch(api, viewed, viewed)
    assert [row.member_id for row in stored(api, EventType.CLICKED)] == [None, None]
    batch(api, {"type": "identify", "userId": "pets-1", "anonymousId": ANONYMOUS})
    me = api.member("pets-1").member_id
    assert [row.member_id for row in stored(api, EventType.CLICKED)] == [me, me]
    batch(api, viewed)  # from now on the visitor is the member
    assert stored(api, EventType.CLICKED)[-1].member_id == me
    state = api.services.profiles.state(me)
    assert state is not None
    (merge,) = api.client.get("/v1/merges", params={"member_id": me}, headers=api.headers()).json()["merges"]
    assert (merge["visitor_id"], merge["events"], merge["source"]) == (ANONYMOUS, 3, "identify")
    undone = api.client.post(f"/v1/merges/{merge['merge_id']}/undo", headers=api.headers()).json()
    assert (undone["undone_by"], undone["events"]) == ("test", 3)
    assert {row.member_id for row in stored(api, EventType.CLICKED)} == {None}
    (again,) = batch(api, {"type": "alias", "userId": "pets-1", "previousId": ANONYMOUS})
    assert again["notes"] == ["visitor and member were not merged: somebody has undone that before"]
    assert api.client.post(f"/v1/merges/{merge['merge_id']}/undo", headers=api.headers()).status_code == 409


def test_a_merge_past_its_term_is_gone_for_undoing_and_the_answer_says_so(api: Api) -> None:
    batch(api, {"type": "identify", "userId": "pets-1", "anonymousId": ANONYMOUS})
    (merge,) = api.client.get("/v1/merges", headers=api.headers()).json()["merges"]
    long_ago = datetime.now(UTC) - timedelta(days=731)
    with api.services.db.write() as connection:
        connection.execute(update(merges).values(at=long_ago))
    answer = api.client.post(f"/v1/merges/{merge['merge_id']}/undo", headers=api.headers())
    assert (answer.status_code, answer.json()["code"]) == (410, "past-term")
    assert "730 days" in answer.json()["detail"]
    assert api.client.post(f"/v1/merges/{new_id()}/undo", headers=api.headers()).status_code == 404


def test_what_a_merged_visitor_did_without_a_name_is_erased_with_the_member(api: Api) -> None:
    token = api.headers(api.token(visitor=ANONYMOUS)["token"])
    talk = api.client.post("/v1/conversations", headers=token).json()["conversation_id"]
    batch(api, {"type": "identify", "userId": "pets-1", "anonymousId": ANONYMOUS})
    me = api.member("pets-1").member_id
    assert api.client.post(f"/v1/members/{me}/erase", headers=api.headers()).status_code == 200
    assert api.client.get(f"/v1/conversations/{talk}", headers=token).status_code == 401, (
        "the browser's tokens ended, too"
    )
    anew = api.headers(api.token(visitor=ANONYMOUS)["token"])
    assert api.client.get(f"/v1/conversations/{talk}", headers=anew).status_code == 404


def test_without_consent_to_profiling_nothing_is_merged_and_a_withdrawal_forgets_merges(api: Api) -> None:
    me = api.member("pets-1").member_id
    batch(api, {"type": "identify", "userId": "pets-1", "anonymousId": ANONYMOUS})
    assert len(api.services.merges.page(member_id=me)) == 1
    answer = api.client.post(
        "/v1/consents",
        json={"member_id": me, "purpose": "profiling", "granted": False, "text_version": "t"},
        headers=api.headers(),
    )
    assert answer.status_code == 201
    assert api.services.merges.page(member_id=me) == []
    (told,) = batch(api, {"type": "identify", "userId": "pets-1", "anonymousId": ANONYMOUS})
    assert told["notes"] == ["visitor and member were not merged: the member does not agree to profiling"]
    batch(api, track("Product Viewed", {"sku": "milk-1"}, anonymousId=ANONYMOUS))
    assert stored(api, EventType.CLICKED)[-1].member_id is None


def test_who_withdraws_profiling_and_is_erased_leaves_no_device_in_the_log(api: Api) -> None:
    """Neither by what was theirs, nor by what the device did without a name, nor by what came after the withdrawal."""
    me, nameless = api.member("pets-1").member_id, {"anonymousId": ANONYMOUS}
    seen = Event(
        new_id(), EventType.LOCATED, datetime.now(UTC), "api", None, ANONYMOUS, payload={"store_id": "s1"}
    )  # never a member's who did not agree to location
    api.services.events.append_batch([seen], received_at=datetime.now(UTC))
    viewed = track("Product Viewed", {"sku": "milk-1"}, **nameless)
    batch(api, {"type": "identify", "userId": "pets-1", **nameless, "traits": {"loyalty_tier": "gold"}}, viewed)
    batch(api, {**viewed, "userId": None})
    assert {row.member_id for row in stored(api, EventType.CLICKED)} == {me}
    no = {"member_id": me, "purpose": "profiling", "granted": False, "text_version": "t"}
    assert api.client.post("/v1/consents", json=no, headers=api.headers()).status_code == 201
    batch(api, viewed)
    assert api.client.post(f"/v1/members/{me}/erase", headers=api.headers()).status_code == 200
    assert len(stored(api, EventType.CLICKED)) == 3  # they count for the shop
    assert ANONYMOUS not in every_value(api.services.db)


def test_a_device_that_two_members_use_stands_for_neither(api: Api) -> None:
    viewed = {"type": "track", "event": "Product Viewed", "properties": {"sku": "cheese-1"}, "anonymousId": ANONYMOUS}
    for who in ("pets-1", "baby-1"):
        batch(api, viewed, {"type": "identify", "userId": who, "anonymousId": ANONYMOUS})
    batch(api, viewed)
    merges = api.services.merges.page()
    assert [merge.events for merge in merges] == [
        2,
        0,
    ]  # the second one does not take along what may be the first one's
    assert stored(api, EventType.CLICKED)[-1].member_id is None


def test_an_erased_member_leaves_no_merge(api: Api) -> None:
    batch(api, {"type": "identify", "userId": "pets-1", "anonymousId": ANONYMOUS})
    me = api.member("pets-1").member_id
    assert api.client.post(f"/v1/members/{me}/erase", headers=api.headers()).status_code == 200
    assert api.services.merges.page() == []
