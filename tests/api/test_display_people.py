"""What a display knows of who stands there is theirs alone, and no longer than they agree to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.services.kiosk import Kiosks
from api.services.kiosk_screens import EMPTY, Audience
from chatbot.affect import begin, load, see
from chatbot.signals import Observation
from personalization.display import Mode
from personalization.types import Affect, Channel, Context, MemberId, Purpose, Subject
from stores.consents import ConsentEntry
from stores.kiosks import Kiosk
from stores.tables import events
from tests.api.conftest import Api
from tests.api.test_displays import agree, door, somebody

__all__ = ["door"]
UNHAPPY = {"valence": -0.8, "expression": "negative", "certainty": 0.9}
PLEASED = {"valence": 0.8, "expression": "positive", "certainty": 0.9}
EVERYTHING = (Purpose.FACE_RECOGNITION, Purpose.EXPRESSION, Purpose.PROFILING)
NOW = datetime.now(UTC)


class Before:
    """A kiosk whose clock the test holds."""

    def __init__(self, api: Api) -> None:
        self.api, self.at = api, 0.0
        self.displays = Kiosks(api.services, clock=lambda: self.at)
        found = api.services.kiosks.find("door")
        assert found is not None
        self.kiosk: Kiosk = found
        api.client.app.state.displays = self.displays  # type: ignore[attr-defined]

    def see(self, *people: dict[str, Any], for_s: float = 0.0) -> None:
        until = self.at + for_s
        while True:
            self.displays.observe(self.kiosk, people)
            if self.at >= until:
                return
            self.at += 0.5

    def mode(self) -> str:
        return str(self.displays.display(self.kiosk)["mode"])

    def stays(self) -> list[tuple[str, str | None]]:
        with self.api.services.db.read() as connection:
            mine = select(events).where(events.c.type.in_(["dwelled", "expressed"])).order_by(events.c.seq)
            return [(row.type, row.member_id) for row in connection.execute(mine)]


@pytest.fixture
def before(api: Api, door: dict[str, str]) -> Before:
    return Before(api)


def kept(api: Api, member_id: MemberId) -> dict[str, Any] | None:
    return api.services.member_affect.get(member_id, at=datetime.now(UTC))


def angry_chat(api: Api, member_id: MemberId, minutes: float = 1.0) -> None:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    state = see(begin(at), Observation(-0.8, 0.6, 0.08, {"angry": 1.0}), "anger", at)
    api.services.member_affect.put(member_id, state.as_json(), at=at)


def test_a_members_mood_is_not_kept_as_that_of_who_steps_forward(api: Api, before: Before) -> None:
    anna, ben = api.member("pets-1").member_id, api.member("cheese-1").member_id
    for member in (anna, ben):
        agree(api, member, *EVERYTHING)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=3)
    before.see(somebody(track_id=2, member_id=ben, **PLEASED), somebody(member_id=anna), for_s=0.5)
    annas, bens = load(kept(api, anna)), load(kept(api, ben))
    assert annas is not None
    assert bens is not None
    assert annas.valence < -0.3
    alone = Before(api)
    alone.see(somebody(track_id=3, member_id=ben, **PLEASED))
    assert bens.valence > 0.3, "as if Anna had never stood there"
    assert not set(bens.recent) & {"frustrated", "angry"}


def test_what_a_face_told_before_its_owner_was_known_is_not_the_members(api: Api, before: Before) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, Purpose.FACE_RECOGNITION, Purpose.PROFILING)
    before.see(somebody(**UNHAPPY), for_s=1)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=1)
    before.see()
    assert kept(api, anna) is None
    assert before.stays() == [("dwelled", anna)]


def test_what_a_face_told_says_so_wherever_it_is_kept_and_is_withheld_without_its_consent(
    api: Api, before: Before
) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, *EVERYTHING)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=1)
    state = load(kept(api, anna))
    assert state is not None
    assert state.source == "face"
    later = see(begin(NOW, state), Observation(0.1, 0.2, 0.08), "neutral", NOW)
    affect = later.as_affect()
    assert affect.source == "face"
    decision = api.services.core.decide(
        Subject(api.member("baby-1").member_id), Context(Channel.WIDGET, NOW, affect=affect)
    )
    assert any("facial expression" in one for one in decision.inputs_withheld), "of whoever did not agree to it"


@pytest.mark.parametrize("purpose", [Purpose.EXPRESSION, Purpose.PROFILING])
def test_what_a_face_told_goes_with_its_consent(api: Api, before: Before, purpose: Purpose) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, *EVERYTHING)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=1)
    assert kept(api, anna) is not None
    withdraw(api, anna, purpose)
    assert kept(api, anna) is None
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=3)
    assert kept(api, anna) is None
    if purpose is Purpose.EXPRESSION:
        assert before.mode() == "welcome", "nor does the display go on with it"


def test_what_the_chat_heard_stays_when_only_faces_are_no_longer_read(api: Api, before: Before) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, *EVERYTHING)
    angry_chat(api, anna)
    withdraw(api, anna, Purpose.EXPRESSION)
    assert kept(api, anna) is not None


def test_a_conversation_that_began_with_a_face_begins_anew_without_it(api: Api, before: Before) -> None:
    anna = api.member("pets-1")
    agree(api, anna.member_id, *EVERYTHING)
    token = api.token("pets-1")["token"]
    conversation = api.client.post("/v1/conversations", json={}, headers=api.headers(token)).json()["conversation_id"]
    api.services.conversations.felt(conversation, begin(NOW).as_json() | {"source": "face"}, at=NOW)
    withdraw(api, anna.member_id, Purpose.EXPRESSION)
    found = api.services.conversations.get(conversation)
    assert found is not None
    assert found.affect is None


def test_a_mood_is_not_written_behind_its_withdrawal(api: Api) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, Purpose.PROFILING)
    api.services.member_affect.put(anna, begin(NOW).as_json() | {"source": "face"}, at=NOW)
    assert kept(api, anna) is None
    api.services.member_affect.put(anna, begin(NOW).as_json(), at=NOW)
    assert kept(api, anna) is not None


def test_a_polite_smile_does_not_cheer_at_who_was_angry_a_minute_ago(api: Api, before: Before) -> None:
    anna, ben = api.member("pets-1").member_id, api.member("cheese-1").member_id
    for member in (anna, ben):
        agree(api, member, *EVERYTHING)
    angry_chat(api, anna)
    smile = {"valence": 0.5, "expression": "positive", "certainty": 0.9}
    before.see(somebody(member_id=anna, **smile), for_s=8)
    assert before.mode() == "welcome"
    before.see(for_s=4)
    before.see(somebody(track_id=2, member_id=ben, **smile), for_s=8)
    assert before.mode() == "inspire", "where the chat heard nothing, the face is all there is"


def test_how_often_a_face_is_looked_at_does_not_change_what_it_tells(api: Api, before: Before) -> None:
    valences = []
    for number, name in enumerate(("pets-1", "cheese-1")):
        member = api.member(name).member_id
        agree(api, member, *EVERYTHING)
        angry_chat(api, member)
        for _ in range(1 + 9 * number):
            before.see(somebody(track_id=number, member_id=member, **PLEASED))
        state = load(kept(api, member))
        assert state is not None
        valences.append(state.valence)
        before.see(for_s=4)
    assert valences[0] == pytest.approx(valences[1], abs=0.05)  # ten looks by a filter's step each would make it .6


def withdraw(api: Api, member_id: MemberId, *purposes: Purpose) -> None:
    api.client.app.state.privacy.record(  # type: ignore[attr-defined]
        member_id, dict.fromkeys(purposes, False), channel="test", text_version="t"
    )


@pytest.mark.parametrize("ends", ["not me", "forget me", "withdrawn", "by another process"])
def test_a_stay_names_nobody_who_said_that_it_is_not_theirs(api: Api, before: Before, ends: str) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, Purpose.FACE_RECOGNITION, Purpose.EXPRESSION)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=5)
    if ends == "not me":
        before.displays.not_me(before.kiosk)
        before.see(somebody(member_id=anna, **UNHAPPY), for_s=1)
    elif ends == "forget me":
        api.client.app.state.privacy.forget_face(anna, channel="test")  # type: ignore[attr-defined]
    elif ends == "withdrawn":
        withdraw(api, anna, Purpose.FACE_RECOGNITION)
    else:
        entry = ConsentEntry(anna, Purpose.FACE_RECOGNITION, False, datetime.now(UTC), "elsewhere", "t")
        api.services.consents.record([entry])
    before.see()
    assert anna not in {member for _, member in before.stays()}
    assert ("dwelled", None) in before.stays()


def test_a_stay_is_not_handed_to_who_stands_in_a_members_place(api: Api, before: Before) -> None:
    anna, ben = api.member("pets-1").member_id, api.member("cheese-1").member_id
    for member in (anna, ben):
        agree(api, member, Purpose.FACE_RECOGNITION, Purpose.EXPRESSION)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=3)
    before.see(somebody(**PLEASED), for_s=3)  # the camera knows them no more
    before.see()
    assert before.stays() == [("dwelled", None), ("expressed", None)]
    before.at += 10
    before.see(somebody(track_id=2, member_id=anna, **UNHAPPY), for_s=3)
    before.see(somebody(track_id=2, member_id=ben, **PLEASED), for_s=3)
    before.see()
    assert payloads(api)[-1] == (ben, 0.8)


def payloads(api: Api) -> Sequence[tuple[str | None, float]]:
    with api.services.db.read() as connection:
        rows = connection.execute(select(events).where(events.c.type == "expressed").order_by(events.c.seq))
        return [(row.member_id, row.payload["valence"]) for row in rows]


@pytest.mark.parametrize(("live", "mode"), [(True, "welcome"), (None, "attract"), (False, "attract")])
def test_where_liveness_is_asked_for_a_picture_of_a_member_is_greeted_by_nobody(
    api: Api, before: Before, live: bool | None, mode: str
) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, Purpose.FACE_RECOGNITION)
    api.services.settings.vision_liveness = "turn"
    before.see(somebody(member_id=anna, live=live))
    assert before.mode() == mode


def test_who_is_denied_is_not_read_as_a_stranger_against_their_word(api: Api, before: Before) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, Purpose.FACE_RECOGNITION)
    before.see(somebody(member_id=anna, **UNHAPPY))
    before.displays.not_me(before.kiosk)
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=4)
    before.see()
    assert payloads(api) == []


def test_an_affect_knows_where_it_comes_from() -> None:
    assert Affect(0.0, 0.1).source == "text"
    assert begin(NOW).as_affect().source == "text"


def test_a_coupon_stays_while_the_member_who_got_it_is_there_alone(
    api: Api, before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, ben = api.member("pets-1").member_id, api.member("cheese-1").member_id
    for member in (anna, ben):
        agree(api, member, *EVERYTHING)
    made = []

    def make(_kiosk: Kiosk, mode: Mode, audience: Audience, _early: object = None) -> dict[str, Any]:
        made.append(mode)
        coupon = {"code": f"for {audience.alone}"} if mode is Mode.WELCOME and audience.alone else None
        return EMPTY | before.displays._screens.bare() | {"coupon": coupon}

    monkeypatch.setattr(before.displays._screens, "make", make)

    def coupon() -> Any:
        return before.displays.display(before.kiosk)["coupon"]

    before.see(somebody(member_id=anna), for_s=25)
    assert (made[-1], coupon()) == (Mode.INSPIRE, {"code": f"for {anna}"})
    before.see(somebody(member_id=anna), somebody(track_id=2, member_id=ben), for_s=5)
    assert coupon() is None, "it is nobody else's to see"
    before.see(somebody(member_id=anna, **UNHAPPY), for_s=4)
    assert (made[-1], coupon()) == (Mode.CALM, None)
    before.see(for_s=5)
    before.see(somebody(track_id=3, member_id=ben), for_s=25)
    assert (made[-1], coupon()) == (Mode.INSPIRE, {"code": f"for {ben}"})


def test_in_a_busy_shop_everybody_is_themselves_though_the_place_is_never_empty(api: Api, before: Before) -> None:
    anna = api.member("pets-1").member_id
    agree(api, anna, Purpose.FACE_RECOGNITION)
    before.see(somebody(member_id=anna), for_s=1)
    before.displays.not_me(before.kiosk)
    before.see(somebody(member_id=anna), somebody(track_id=2), for_s=1)
    assert before.mode() == "attract", "who said so is still there"
    before.see(somebody(track_id=2), for_s=5)
    before.see(somebody(track_id=2), somebody(track_id=3, member_id=anna), for_s=1)
    assert before.mode() == "welcome", "Anna herself"
    party = before.displays._state(before.kiosk).visitor_id
    before.see(somebody(track_id=3, member_id=anna), somebody(track_id=4), for_s=1)
    assert before.displays._state(before.kiosk).visitor_id != party, "who was there when it began has left"
