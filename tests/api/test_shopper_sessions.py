"""Widget tokens can be ended: by who holds one, by their member, by the shop, by an erasure, and with their key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from sqlalchemy import select

from api.errors import ProblemError
from api.routes import following
from api.shoppers import TOKEN_LIFETIME, Visitor
from personalization.types import MemberId, VisitorId
from stores.api_tables import widget_sessions
from stores.database import new_id
from tests.api.conftest import ORIGIN, Api
from tests.statements import statements


def works(api: Api, token: dict[str, Any]) -> bool:
    answer = api.client.get("/v1/basket", headers=api.headers(token["token"]))
    if answer.status_code == 401:
        assert answer.json()["code"] == "session-ended"
    return answer.status_code == 200


def test_who_signs_out_is_out_at_once_and_in_this_browser_alone(api: Api) -> None:
    here, there = api.token("pets-1"), api.token("pets-1")
    mine = api.headers(here["token"])
    renewed = api.client.post("/v1/widget-tokens/renew", headers=mine).json()
    assert renewed["session_id"] == here["session_id"] != there["session_id"]
    assert api.client.delete("/v1/me/session", headers=mine).json() == {"ended": 1}
    assert not works(api, here)
    assert not works(api, renewed), "a token of the same session"
    assert api.client.post("/v1/widget-tokens/renew", headers=mine).status_code == 401
    assert works(api, there)


def test_a_browser_is_one_whatever_it_loads_and_leaves_with_all_its_tabs(api: Api) -> None:
    device, other = new_id(), new_id()
    tabs = [api.token("pets-1", device) for _ in range(3)]
    elsewhere, next_here = api.token("pets-1", other), api.token("pets-2", device)
    member = api.member("pets-1").member_id
    listed = api.client.get(f"/v1/members/{member}/sessions", headers=api.headers()).json()["sessions"]
    assert [row["session_id"] for row in listed] == [tabs[-1]["session_id"], elsewhere["session_id"]]
    assert listed[0]["started_at"] < listed[0]["renewed_at"]
    assert api.client.delete("/v1/me/session", headers=api.headers(tabs[1]["token"])).json() == {"ended": 3}
    assert [works(api, one) for one in tabs] == [False] * 3
    assert works(api, elsewhere)
    assert works(api, next_here), "another member at the same device"


def test_an_anonymous_visitor_can_sign_out_too(api: Api) -> None:
    token = api.token()
    assert api.client.delete("/v1/me/session", headers=api.headers(token["token"])).json() == {"ended": 1}
    assert not works(api, token)


def test_a_member_sees_and_ends_their_own_sessions_and_nobody_elses(api: Api) -> None:
    one, two, three, other = api.token("pets-1"), api.token("pets-1"), api.token("pets-1"), api.token("pets-2")
    mine = api.headers(one["token"])
    first = api.client.get("/v1/me/sessions?limit=2", headers=mine).json()
    rest = api.client.get(f"/v1/me/sessions?cursor={first['next_cursor']}", headers=mine).json()
    listed = [*first["sessions"], *rest["sessions"]]
    assert [row["session_id"] for row in listed] == [token["session_id"] for token in (one, two, three)]
    assert [row["current"] for row in listed] == [True, False, False]
    foreign = f"/v1/me/sessions/{other['session_id']}"
    assert api.client.delete(foreign, headers=mine).status_code == 404
    assert works(api, other)
    assert api.client.delete(f"/v1/me/sessions/{two['session_id']}", headers=mine).json() == {"ended": 1}
    assert (works(api, one), works(api, two)) == (True, False)
    assert api.client.delete("/v1/me/sessions", headers=mine).json() == {"ended": 2}
    assert not works(api, one)
    assert not works(api, three)


def test_the_shop_lists_and_ends_a_members_sessions_and_the_audit_log_says_so_without_a_name(api: Api) -> None:
    one, two, three = api.token("pets-1"), api.token("pets-1"), api.token("pets-1")
    member = api.member("pets-1").member_id
    at = f"/v1/members/{member}/sessions"
    listed = api.client.get(at, headers=api.headers()).json()["sessions"]
    assert {row["session_id"] for row in listed} == {token["session_id"] for token in (one, two, three)}
    others = f"/v1/members/{api.member('pets-2').member_id}/sessions/{one['session_id']}"
    assert api.client.delete(others, headers=api.headers()).status_code == 404
    assert works(api, one)
    assert api.client.delete(f"{at}/{one['session_id']}", headers=api.headers()).json() == {"ended": 1}
    assert (works(api, one), works(api, two)) == (False, True)
    assert api.client.delete(at, headers=api.headers()).json() == {"ended": 2}
    assert not works(api, two)
    assert api.client.get(at, headers=api.headers()).json()["sessions"] == []
    told = api.services.audit.entries()[-1]
    assert told.action == "DELETE /v1/members/{member_id}/sessions"
    assert told.target == api.services.audit.of_member(member) != member


def test_an_erasure_ends_what_the_member_and_their_device_had(api: Api) -> None:
    device = new_id()
    before = api.token("pets-1", visitor=device)
    after = api.token(visitor=device)
    assert works(api, before)
    assert works(api, after)
    member = api.member("pets-1").member_id
    assert api.client.post(f"/v1/members/{member}/erase", headers=api.headers()).status_code == 200
    assert not works(api, before)
    assert not works(api, after), "the same device, anonymously"
    who = Visitor(VisitorId(device), MemberId(member), api.services.keys.find(api.key).key_id)  # type: ignore[union-attr]
    with pytest.raises(ProblemError, match="There is no member"):
        api.services.shoppers.start(who)  # found before the erasure, begun after it


def test_a_revoked_key_takes_its_tokens_along(api: Api) -> None:
    secret = api.make_key("widget-tokens")
    token = api.client.post("/v1/widget-tokens", json={}, headers=api.headers(secret)).json()
    assert works(api, token)
    key = api.services.keys.find(secret)
    assert key is not None
    api.services.keys.revoke(key.key_id, at=datetime.now(UTC))
    assert not works(api, token)


def test_who_signs_in_leaves_the_anonymous_token_of_this_device_behind(api: Api) -> None:
    device = new_id()
    anonymous, elsewhere = api.token(visitor=device), api.token()
    member = api.token("pets-1", visitor=device)
    assert (works(api, anonymous), works(api, elsewhere), works(api, member)) == (False, True, True)


def test_no_session_is_renewed_for_ever(api: Api) -> None:
    key = api.services.keys.find(api.key)
    assert key is not None
    now, hours = datetime.now(UTC), timedelta(hours=api.services.settings.widget_session_hours)
    begun, shoppers = now - hours + timedelta(minutes=1), api.services.shoppers
    _, who, _ = shoppers.start(Visitor(VisitorId(new_id()), None, key.key_id), now=begun)
    assert shoppers.renew(who, now=begun + TOKEN_LIFETIME)[2] == begun + 2 * TOKEN_LIFETIME
    assert shoppers.renew(who, now=now)[2] == begun + hours, "not beyond the longest"
    with pytest.raises(ProblemError) as caught:
        shoppers.renew(who, now=begun + hours)
    assert caught.value.status == 401


def test_a_session_that_ran_out_is_neither_listed_nor_kept(api: Api) -> None:
    token = api.token("pets-1")
    member, sessions, now = api.member("pets-1").member_id, api.services.widget_sessions, datetime.now(UTC)
    assert [one.session_id for one in sessions.of(member, now=now)] == [token["session_id"]]
    assert sessions.of(member, now=now + TOKEN_LIFETIME) == []
    assert sessions.purge(now=now + TOKEN_LIFETIME) == 0, "a page that is open may still follow its chat"
    assert sessions.purge(now=now + timedelta(hours=2)) == 1
    with api.services.db.read() as connection:
        assert connection.execute(select(widget_sessions)).all() == []


@pytest.mark.parametrize("origin", [None, ORIGIN])
def test_a_request_asks_for_its_session_once(api: Api, origin: str | None) -> None:
    headers = api.headers(api.token()["token"]) | ({"Origin": origin} if origin else {})
    with statements(api.services.db) as asked:
        assert api.client.get("/v1/basket", headers=headers).status_code == 200
    assert len([statement for statement in asked if "widget_sessions" in statement]) == 1
    assert not [statement for statement in asked if "FROM keys" in statement], "the session brings its key along"


def test_a_stream_ends_with_its_session_and_tells_nothing_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.01)
    token = api.token()
    talk = api.client.post("/v1/conversations", headers=api.headers(token["token"])).json()["conversation_id"]
    who, _ = api.services.shoppers.find(token["token"])
    desk = api.client.app.state.desk  # type: ignore[attr-defined]

    async def follow() -> list[str]:
        told = []
        with anyio.fail_after(20):
            async for one in following._stream(talk, api.services, desk, who, None):
                told.append(one.event)
                if one.event == "message":
                    api.services.widget_sessions.end(who.session_id)
                    api.services.talk.tell(talk, "message", {})
        return told

    assert anyio.run(follow) == ["state", "message"]
    assert not api.services.shoppers.counts(replace(who, session_id=new_id()))
