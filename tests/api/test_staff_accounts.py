"""Staff accounts: signing in, what roles allow, invitations, and what ends a session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from api import passwords, sessions
from api.sessions import COOKIE
from stores.handoffs import Agent
from stores.staff_sessions import ACCOUNT
from tests.api.conftest import Api

OWN = {"Sec-Fetch-Site": "same-origin"}
GOOD = "seven quiet lamps"


@pytest.fixture
def console(api: Api) -> Iterator[Api]:
    """The api, with a browser that has no cookie yet."""
    yield api
    api.client.cookies.clear()


def account(api: Api, *roles: str, email: str = "ana@shop.example", password: str = GOOD) -> str:
    now = datetime.now(UTC)
    made = api.services.staff_accounts.add(email, "Ana Diaz", roles or ("marketer",), at=now)
    api.services.staff_accounts.set_password(made.account_id, passwords.accept(password), at=now)
    return made.account_id


def sign_in(api: Api, email: str = "ana@shop.example", password: str = GOOD) -> Any:
    return api.client.post("/v1/session", json={"email": email, "password": password}, headers=OWN)


def test_who_signs_in_may_do_what_their_role_allows(console: Api) -> None:
    account_id = account(console, "marketer")
    answer = sign_in(console, "Ana@Shop.example")
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["marketer"]
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert console.client.get("/v1/session").json()["account_id"] == account_id
    assert console.client.get("/v1/members").status_code == 200
    refused = console.client.get("/v1/accounts")
    assert (refused.status_code, refused.json()["detail"]) == (403, "Your role lacks the scope accounts.")
    quota = console.client.get("/v1/members").headers["ratelimit-policy"]
    assert quota.startswith('"key"')


@pytest.mark.parametrize(("role", "sees"), [("auditor", False), ("agent", True), ("marketer", True), ("admin", True)])
def test_who_only_checks_sees_no_members_address(console: Api, role: str, sees: bool) -> None:
    made = console.services.members.create(
        external_id=None, display_name="Mia", email="mia@mail.example", at=datetime.now(UTC)
    )
    account(console, role)
    sign_in(console)
    answers = (
        console.client.get(f"/v1/members/{made.member_id}").json(),
        console.client.get(f"/v1/members/{made.member_id}/overview").json(),
        console.client.get("/v1/members?name=Mia").json()["members"][0],
    )
    assert {answer["email"] for answer in answers} == {"mia@mail.example" if sees else None}


def test_the_cookie_is_for_https_alone_where_the_shop_has_it(console: Api) -> None:
    account(console)
    console.services.settings.public_url = "https://aisle.shop.example"
    told = sign_in(console).headers["set-cookie"]
    assert told.startswith("__Host-aisle_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=strict"} <= set(told.split("; "))
    assert "Domain" not in told
    secret = told.split("=", 1)[1].split(";")[0]

    def status(name: str) -> int:
        console.client.cookies.clear()
        return int(console.client.get("/v1/session", headers={**OWN, "Cookie": f"{name}={secret}"}).status_code)

    assert (status("__Host-aisle_session"), status("aisle_session")) == (200, 401), (
        "another host could set the other one"
    )


def test_wrong_names_and_wrong_passwords_are_told_alike(console: Api) -> None:
    account(console)
    answers = [sign_in(console, password="wrong password it is"), sign_in(console, "nobody@shop.example")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert "set-cookie" not in answers[0].headers


def test_who_fails_often_waits_and_the_wait_grows(console: Api) -> None:
    account(console)
    for _ in range(ACCOUNT.free):
        assert sign_in(console, password="wrong password it is").status_code == 401
    assert sign_in(console, password="wrong password it is").status_code in {401, 429}
    found = sign_in(console)
    assert (found.status_code, found.json()["code"]) == (429, "too-many-attempts")
    assert int(found.headers["retry-after"]) >= 1
    assert [ACCOUNT.wait(n).total_seconds() for n in (5, 6, 7, 8, 12, 99)] == [0, 1, 2, 4, 60, 60]
    assert sign_in(console, "nobody@shop.example").status_code == 401, "others do not wait for it"


def test_a_page_of_another_site_wins_nothing_by_a_good_cookie(console: Api) -> None:
    account(console, "admin")
    sign_in(console)
    body = {"email": "eve@shop.example", "name": "Eve", "roles": ["admin"]}

    def ask(**headers: str) -> int:
        return int(console.client.post("/v1/accounts", json=body, headers=headers).status_code)

    assert ask(**{"Sec-Fetch-Site": "cross-site"}) == 403
    assert ask(**{"Sec-Fetch-Site": "same-site"}) == 403
    assert ask(Origin="https://evil.example") == 403
    assert ask(Origin="null") == 403
    assert ask() == 403, "a browser too old for both says nothing, and is not trusted"
    assert console.client.get("/v1/accounts", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert ask(Origin="http://testserver") == 201


def test_nobody_is_signed_in_by_a_page_of_another_site(console: Api) -> None:
    account(console)
    body = {"email": "ana@shop.example", "password": GOOD}
    answer = console.client.post("/v1/session", json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")


def test_sessions_end_with_time_with_sign_out_and_with_the_account(console: Api) -> None:
    account_id, sessions, now = account(console), console.services.sessions, datetime.now(UTC)

    def alive(secret: str) -> bool:
        return console.client.get("/v1/session", headers={"Cookie": f"{COOKIE}={secret}"}).status_code == 200

    started = [sessions.start(account_id, "password", browser="b", at=now - timedelta(hours=h))[0] for h in (7, 9, 25)]
    assert [alive(secret) for secret in started] == [True, False, False]
    assert sessions.purge(now=now) >= 2
    sign_in(console)
    here = console.client.get("/v1/session/others").json()["sessions"]
    assert [one["this"] for one in here] == [True, False]
    assert console.client.delete("/v1/session/others", headers=OWN).json() == {"ended": 1}
    assert not alive(started[0])
    assert console.client.delete("/v1/session", headers=OWN).json() == {"ended": 1}
    assert console.client.get("/v1/session").status_code == 401
    sign_in(console)
    console.services.staff_accounts.change(account_id, now=now, disabled=True)
    assert console.client.get("/v1/session").status_code == 401
    assert sign_in(console).status_code == 401


def test_a_change_of_role_or_password_ends_sessions(console: Api) -> None:
    account_id = account(console)
    sign_in(console)
    old = console.client.cookies[COOKIE]
    body = {"password": GOOD, "new_password": "another long one"}
    assert console.client.post("/v1/session/password", json=body, headers=OWN).status_code == 200
    assert console.client.cookies[COOKIE] != old
    assert console.client.get("/v1/session").status_code == 200
    assert sign_in(console).status_code == 401
    sign_in(console, password="another long one")
    console.services.staff_accounts.change(account_id, now=datetime.now(UTC), roles=["auditor"])
    assert console.client.get("/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("weak", "why"),
    [
        ("short", "short"), ("x y" * 60, "long"), ("AnaDiaz12345", "owner"), ("ana@shop.example1", "owner"), ("password1234", "common"),
        ("aaaaaaaaaaaaaaaa", "common"), ("Summer2026!!", "common"), ("P@ssw0rd123456", "common"), ("correct horse battery staple", "common"),
        ("qwertyuiop[]", "common"), ("Manchesterunited", "common"), ("AnaAnaAnaAna", "common"),
    ],
)  # fmt: skip
def test_passwords_that_anybody_tries_are_refused(console: Api, weak: str, why: str) -> None:
    account(console)
    sign_in(console)
    body = {"password": GOOD, "new_password": weak}
    answer = console.client.post("/v1/session/password", json=body, headers=OWN)
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (422, "weak-password", why)


@pytest.mark.parametrize("ending", ["{0}", "{0}1234", "{0}{0}", "{0}{0}{0}", "{0}123456", "{0}!!!!!!!!", "1234{0}"])
def test_the_most_common_passwords_make_no_new_one_by_being_longer(ending: str) -> None:
    long = [made for word in FREQUENCY_LISTS["passwords"] if len(made := ending.format(word)) >= passwords.SHORTEST]
    for made in long[:100]:
        with pytest.raises(passwords.WeakPasswordError):
            passwords.accept(made)


@pytest.mark.parametrize(
    "good",
    [
        GOOD,
        "lemon tart river",
        "ein Hund im Garten",
        "قلم في البيت الكبير",
        "xK9#mQ2$vL7p",
        "lantern copper walnut breeze " * 4,
    ],
)
def test_a_few_words_that_have_nothing_to_do_with_each_other_are_taken(good: str) -> None:
    assert passwords.fits(good, passwords.accept(good, told=("Ana Diaz", "ana@shop.example", "aisle")))


def read_invitation(api: Api, code: str) -> Any:
    return api.client.post("/v1/session/invitation", json={"code": code}, headers=OWN)


def test_who_is_invited_sets_a_password_once(console: Api) -> None:
    account(console, "admin")
    sign_in(console)
    body = {"email": "ben@shop.example", "name": "Ben", "roles": ["agent", "agent"]}
    made = console.client.post("/v1/accounts", json=body, headers=OWN)
    assert made.status_code == 201
    assert console.client.post("/v1/accounts", json=body, headers=OWN).status_code == 409
    assert made.json()["roles"] == ["agent"]
    code = made.json()["invite_url"].partition("#")[2]
    console.client.cookies.clear()
    assert read_invitation(console, code).json() == {"name": "Ben", "email": "ben@shop.example"}
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert console.client.post("/v1/session/invitation", json={"code": code}, headers=elsewhere).status_code == 403
    taken = console.client.post("/v1/session/welcome", json={"code": code, "password": GOOD}, headers=OWN)
    assert (taken.status_code, taken.json()["roles"]) == (200, ["agent"])
    assert console.client.get("/v1/agents/inbox").json()["agents"] == ["Ben"]
    again = console.client.post("/v1/session/welcome", json={"code": code, "password": GOOD}, headers=OWN)
    assert (again.status_code, again.json()["code"]) == (404, "no-invitation")
    late = console.services.staff_accounts.invite(
        made.json()["account_id"], now=datetime.now(UTC) - timedelta(hours=73)
    )
    assert read_invitation(console, late).status_code == 404


def test_a_reset_ends_everything_that_let_somebody_in(console: Api) -> None:
    account(console, "admin")
    ben = account(console, email="ben@shop.example")
    console.services.sessions.start(ben, "password", browser="b", at=datetime.now(UTC))
    sign_in(console)
    answer = console.client.post(f"/v1/accounts/{ben}/invite", json={"reset": True}, headers=OWN)
    assert answer.json()["has_password"] is False
    assert not console.services.sessions.of(ben, now=datetime.now(UTC))
    assert sign_in(console, "ben@shop.example").status_code == 401


def test_the_last_admin_stays(console: Api) -> None:
    ana = account(console, "admin")
    sign_in(console)
    console.services.staff_accounts.add("eve@shop.example", "Eve", ["admin"], at=datetime.now(UTC))
    for answer in (
        console.client.delete(f"/v1/accounts/{ana}", headers=OWN),
        console.client.patch(f"/v1/accounts/{ana}", json={"roles": ["agent"]}, headers=OWN),
        console.client.patch(f"/v1/accounts/{ana}", json={"disabled": True}, headers=OWN),
        console.client.post(f"/v1/accounts/{ana}/invite", json={"reset": True}, headers=OWN),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), "who never signed in is no admin yet"
    again = console.client.post(f"/v1/accounts/{ana}/invite", json={"reset": False}, headers=OWN)
    assert again.status_code == 200, "a link alone takes nothing away"
    console.services.staff_accounts.invite(ana, now=datetime.now(UTC), reset=True, even_last_admin=True)
    assert sign_in(console).status_code == 401
    console.services.staff_accounts.remove(ana)
    ana = account(console, "admin")
    sign_in(console)
    ben = account(console, "admin", email="ben@shop.example")
    assert console.client.delete(f"/v1/accounts/{ana}", headers=OWN).status_code == 200
    assert console.client.get("/v1/session").status_code == 401
    assert sign_in(console).status_code == 401
    assert console.services.staff_accounts.get(ben).roles == ("admin",)


def test_accounts_are_paged_newest_first(console: Api) -> None:
    ids = [account(console, email=f"{n}@shop.example") for n in range(3)]
    account_ids, cursor = list[str](), None
    for _ in range(4):
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = console.client.get("/v1/accounts", params=params, headers=console.headers()).json()
        account_ids += [one["account_id"] for one in page["accounts"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert account_ids == ids[::-1]


def test_the_log_tells_who_signed_in_and_changed_whom_by_ids_alone(console: Api) -> None:
    ana = account(console, "admin")
    sign_in(console, password="wrong password it is")
    sign_in(console)
    body = {"email": "ben@shop.example", "name": "Ben", "roles": ["agent"]}
    ben = console.client.post("/v1/accounts", json=body, headers=OWN).json()["account_id"]
    console.client.patch(f"/v1/accounts/{ben}", json={"roles": ["auditor"]}, headers=OWN)
    lines = console.services.audit.entries()
    told = [(one.actor, one.action, one.target) for one in lines]
    assert told[-4:] == [
        ("somebody", "sign-in refused", ana),
        (f"staff {ana}", "sign-in", ana),
        (f"staff {ana}", "POST /v1/accounts", ""),
        (f"staff {ana}", "PATCH /v1/accounts/{account_id}", ben),
    ]
    assert lines[-2].detail["account_id"] == ben
    assert lines[-1].detail["roles"] == ["auditor"]
    assert not any("@" in str(one) or "Ben" in str(one) for one in lines)
    assert console.services.audit.verify() == []


def test_addresses_and_names_lie_sealed_and_go_with_the_account(console: Api) -> None:
    ana, db = account(console), console.services.db
    with db.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM staff_accounts").all()
    assert "ana" not in str(rows).lower()
    console.services.sessions.start(ana, "password", browser="b", at=datetime.now(UTC))
    console.services.staff_accounts.remove(ana)
    with db.read() as connection:
        for table in ("staff_accounts", "staff_sessions", "staff_passkeys"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_the_desk_forgets_the_name_of_an_account_that_is_deleted(console: Api) -> None:
    ana, now = account(console, "agent"), datetime.now(UTC)
    other = account(console, "agent", email="ben@shop.example")
    handoffs, desk, name = console.services.handoffs, console.services.desk_records, "Ana Diaz"
    agents = [Agent(f"staff:{one}", name, now) for one in (ana, other)]
    conversations = list[str]()
    for agent in agents:
        handoffs.seen(agent)
        conversation = console.services.conversations.start(agent.agent_id[-36:], None, at=now).conversation_id
        conversations.append(conversation)
        waiting, _ = handoffs.queue(conversation, reason="asked", urgency=1, wants_message=False, told={}, at=now)
        assert handoffs.move(waiting, "human", conversation="human", at=now, agent=agent)
        desk.note(conversation, "call back", agent_id=agent.agent_id, agent_name=name, at=now)
    console.services.staff_accounts.remove(ana)
    assert [one.agent_id for one in handoffs.there(since=now - timedelta(minutes=1))] == [f"staff:{other}"]
    assert {one.agent_id: one.agent_name for one in handoffs.served()} == {f"staff:{ana}": None, f"staff:{other}": name}
    assert [[note.agent_name for note in desk.notes(one)] for one in conversations] == [[""], [name]]


def test_answers_are_kept_for_the_person_who_asked(console: Api) -> None:
    account(console, "admin")
    account(console, "admin", email="ben@shop.example")
    body = {"external_id": "crm-7", "display_name": "Cy"}
    sign_in(console)
    headers = {**OWN, "Idempotency-Key": "once"}
    first = console.client.post("/v1/members", json=body, headers=headers)
    again = console.client.post("/v1/members", json=body, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert first.json() == again.json()
    console.client.cookies.clear()
    sign_in(console, "ben@shop.example")
    other = console.client.post("/v1/members", json={**body, "external_id": "crm-8"}, headers=headers)
    assert (other.status_code, "idempotent-replayed" in other.headers) == (201, False)


def test_who_is_signed_in_acts_under_their_own_name(console: Api) -> None:
    account(console, "agent")
    sign_in(console)
    inbox = console.client.get("/v1/agents/inbox", headers={"X-Agent-Name": "Somebody Else"}).json()
    assert inbox["agents"] == ["Ana Diaz"]


def test_the_demo_offers_an_account_of_each_role(console: Api) -> None:
    offered = console.client.get("/v1/session/ways").json()["demo"]
    assert [one["role"] for one in offered] == ["marketer", "agent", "auditor", "admin"]
    for one in offered:
        assert sign_in(console, one["email"], one["password"]).json()["roles"] == [one["role"]]
    console.services.settings.demo = False
    assert console.client.get("/v1/session/ways").json()["demo"] == []


def test_hashes_follow_the_parameters_of_today(console: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    ana = account(console)
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(GOOD)
    console.services.staff_accounts.rehash(ana, weak)
    assert sign_in(console).status_code == 200
    kept = console.services.staff_accounts.password_hash(ana)
    assert kept is not None
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.fits(GOOD, kept)


@pytest.mark.parametrize("way", ["cookie", "key", "token", "device"])
@pytest.mark.parametrize("quiet", [False, True])
def test_a_stream_ends_with_what_began_it(console: Api, monkeypatch: pytest.MonkeyPatch, way: str, quiet: bool) -> None:
    monkeypatch.setattr(sessions, "LOOK_AGAIN_S", 0.0)
    services, now = console.services, datetime.now(UTC)
    ana = account(console, "agent")
    session, _ = services.sessions.start(ana, "password", browser="b", at=now)
    key, secret = services.keys.create("device" if way == "device" else "api", "k", at=now, scopes=["agents"])
    shown = services.access.issue(key, frozenset({"agents"})) if way == "token" else secret
    scope: dict[str, Any] = {"type": "http", "headers": [], "query_string": b"", "app": console.client.app}
    if way == "cookie":
        scope["headers"] = [(b"cookie", f"{COOKIE}={session}".encode())]
    elif way == "device":
        scope["query_string"] = f"key={secret}".encode()
    else:
        scope["headers"] = [(b"authorization", f"Bearer {shown}".encode())]
    closed = []

    async def counting() -> AsyncIterator[int]:
        try:
            yield 0
            yield 1
            if way == "cookie":
                services.sessions.end(ana)
            else:
                services.keys.revoke(key.key_id, at=now)
            if quiet:
                await asyncio.Event().wait()
            yield 2
        finally:
            closed.append(True)

    async def heard() -> list[int]:
        return [item async for item in sessions.while_signed_in(Request(scope), counting())]

    assert asyncio.run(asyncio.wait_for(heard(), 20)) == [0, 1]
    assert closed == [True]
