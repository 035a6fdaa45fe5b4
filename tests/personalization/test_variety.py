"""Filter bubbles and pressure: narrowing is seen, slates widen, coupons are capped across channels, a low mood is not sold to."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from personalization.core import Core
from personalization.deciding.slates import PUSHED
from personalization.ranking.items import Items
from personalization.ranking.slate import Ints, Pool, Weights, choose
from personalization.trust.variety import WIDENED, ShopWeek, Week, alarm, shop_alarm, week_of
from personalization.tuning import parse
from personalization.types import Affect, Candidate, Channel, Context, MemberId, ProductId, Subject
from tests.personalization.fakes import NOW
from tests.personalization.ranking.test_ranker import ask
from tests.personalization.test_core import dependencies

MEMBER = Subject(MemberId("m"))


def weeks(*entropy: float, novelty: float = 0.5) -> list[Week]:
    return [Week(5, 0.8, novelty, bits) for bits in entropy]


def test_a_weeks_figures_are_what_they_say() -> None:
    found = week_of([["a1", "a2"], ["b1", "a1"]], {"a1": "a", "a2": "a", "b1": "b"}, {"a1"})
    assert (found.slates, found.diversity, found.novelty) == (2, 0.5, 0.5)
    assert found.entropy == pytest.approx(0.8113, abs=1e-4)
    assert week_of([], {}, ()) == Week(0, 0.0, 0.0, 0.0)


def shop_week(number: int, narrow: int, entropy: float | None = 2.0, members: int = 100) -> ShopWeek:
    return ShopWeek(date(2026, 9, 7) + timedelta(weeks=number), members, narrow, 0.5, 0.5, entropy)


@pytest.mark.parametrize(
    ("weeks", "why"),
    [
        ([], ()), ([shop_week(0, 9)], ()), ([shop_week(0, 10)], ("share",)), ([shop_week(0, 60), shop_week(1, 3)], ()),
        ([shop_week(0, 3, members=4)], ()),  # of so few a share says nothing
        ([shop_week(n, 0, 3.0 - 0.2 * n) for n in range(4)], ("trend",)), ([shop_week(n, 0, 3.0 - 0.2 * n) for n in range(2)], ()),
        ([shop_week(0, 0, 3.0), shop_week(1, 0, 3.0), shop_week(2, 0, 0.5), shop_week(3, 0, 3.0)], ()),
        ([shop_week(n, 20, None) for n in range(4)], ("share",)),
        ([shop_week(0, 0, 3.0), shop_week(4, 0, 2.8), shop_week(8, 0, 2.6)], ()),  # weeks without anybody count as time
    ],
)  # fmt: skip
def test_the_shop_as_a_whole_is_an_alarm_when_many_are_seen_narrowly_or_ever_fewer_kinds_are_shown(
    weeks: list[ShopWeek], why: tuple[str, ...]
) -> None:
    assert shop_alarm(weeks) == why


def test_narrowing_is_told_and_one_odd_week_is_not() -> None:
    assert "falls by 0.30 bits" in (alarm(weeks(3.0, 2.7, 2.4, 2.1)) or "")
    assert alarm(weeks(3.0, 3.1, 1.5, 3.0, 3.1)) is None
    assert alarm(weeks(3.0, 2.0)) is None, "two weeks are no trend"
    assert "hardly more than one category" in (alarm(weeks(0.4, novelty=0.1)) or "")
    assert alarm(weeks(0.4, novelty=0.9)) is None
    assert alarm([]) is None
    assert alarm([Week(1, 0, 0, 0.0)]) is None, "one slate says nothing"


class FakePressure:
    def __init__(self, *, widened: bool = False, offered: int = 0) -> None:
        self._widened, self._offered = widened, offered

    def widened(self, subject: Subject, *, at: datetime) -> bool:
        return self._widened

    def offered(self, subject: Subject, *, since: datetime) -> int:
        return self._offered


def test_who_was_shown_too_little_gets_a_more_varied_slate_and_the_decision_says_so() -> None:
    decision = Core(dependencies(pressure=FakePressure(widened=True))).decide(MEMBER, Context(Channel.WIDGET, NOW))
    assert decision.context.widened
    assert "how varied last week was" in decision.inputs_used
    usual = Core(dependencies(pressure=FakePressure())).decide(MEMBER, Context(Channel.WIDGET, NOW))
    assert not usual.context.widened


def test_a_widened_slate_is_made_at_a_more_surprising_knob(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(pool: Pool, items: Items, size: int, weights: Weights) -> Ints:
        seen.append(weights)
        return choose(pool, items, size, weights)

    monkeypatch.setattr("personalization.ranking.ranker.choose", watched)
    for widened in (False, True):
        ask(widened=widened)
    assert seen == [Weights.of(0.3), Weights.of(WIDENED)]


def test_coupons_are_capped_whatever_the_channel() -> None:
    for channel in (Channel.WIDGET, Channel.API, Channel.KIOSK):
        context = Context(channel, NOW, wants_coupon=True)
        full = Core(dependencies(pressure=FakePressure(offered=5), coupons_a_week=5)).decide(MEMBER, context)
        assert full.coupon is None
        assert "how many coupons were given this week" in full.inputs_used
        free = Core(dependencies(pressure=FakePressure(offered=4), coupons_a_week=5)).decide(MEMBER, context)
        assert free.coupon is not None
    unlimited = Core(dependencies(pressure=FakePressure(offered=99))).decide(
        MEMBER, Context(Channel.API, NOW, wants_coupon=True)
    )
    assert unlimited.coupon is not None


class Proposing:
    """A source of a few products."""

    def __init__(self, name: str, *products: str) -> None:
        self.name, self._products = name, products

    def candidates(self, *_: object) -> list[Candidate]:
        facts = {"promoted": {"placement": "display"}}
        return [
            Candidate(ProductId(one), {self.name: 0.9}, facts if self.name in PUSHED else {}) for one in self._products
        ]


def test_who_is_in_distress_is_not_sold_to() -> None:
    sources = [Proposing("repeat", "milk-2", "bread-1"), Proposing("promoted", "coffee-3", "milk-2")]
    core = Core(dependencies(sources=sources))
    low = core.decide(MEMBER, Context(Channel.WIDGET, NOW, affect=Affect(-0.8, 0.6)))
    assert {item.product.product_id for item in low.slate} == {"milk-2", "bread-1"}
    assert "a low mood: nothing is pushed" in low.inputs_used
    calm = core.decide(MEMBER, Context(Channel.WIDGET, NOW))
    assert "coffee-3" in {item.product.product_id for item in calm.slate}
    assert "a low mood: nothing is pushed" not in calm.inputs_used


def test_from_its_own_mood_on_nothing_is_sold_whatever_else_a_low_mood_does() -> None:
    core = Core(dependencies(sources=[Proposing("repeat", "milk-2"), Proposing("promoted", "coffee-3")]))
    sour, uneasy = Affect(-0.4, 0.5), Affect(-0.1, 0.3)
    asked = {
        "as it ships": ({"lift": 0.4}, sour), "later": ({"sell": -0.5}, sour), "not by the others": ({"low": -1, "brief": -0.6}, sour),
        "uneasy": ({"lift": 0.4}, uneasy), "sooner": ({"sell": -0.05}, uneasy), "all the same": ({"sell": -0.05, "push": True}, uneasy),
    }  # fmt: skip
    sold = {}
    for name, (moods, affect) in asked.items():
        decision = core.decide(MEMBER, Context(Channel.WIDGET, NOW, affect=affect, tuning=parse({"moods": moods})))
        sold[name] = "coffee-3" in {item.product.product_id for item in decision.slate}
    assert {name for name, one in sold.items() if not one} == {"as it ships", "not by the others", "sooner"}
