"""How a conversation's mood moves: a state-space estimate with uncertainty, and where it turned.

Valence and arousal follow a mean-reverting (Ornstein-Uhlenbeck) process and are estimated by a Kalman filter (Kalman 1960); the
distribution over the states by the forward filter of a hidden Markov model (Rabiner 1989). What was felt fades to the baseline
with a half-life of fifteen minutes. A fall is found by a one-sided CUSUM over the filter's standardised innovations (Page 1954);
the mood turned where that sum was last at nought, and what happened there is told as the cause.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from chatbot.signals import REST, Observation, from_text
from chatbot.voice.states import DISTRESSED, STATES, Felt
from personalization.types import FACE, TEXT, Affect, Purpose

HALF_LIFE_S = 900.0
MEMBER_HALF_LIFE_S = 3 * 86_400.0
STATIONARY = (1.0, 0.25)  # variance of valence and arousal when nothing is known
PER_TURN = (0.05, 0.03)  # what may change from one message to the next, however soon it comes
STAY = 0.75  # probability of staying in a state from one message to the next
TROUBLED, PLEASED = -0.25, 0.4
PLAIN_VALENCE, PLAIN_CHANCE = -0.65, 0.4
DRIFT, ALARM = 0.5, 1.2  # of the CUSUM, in standard deviations
BASELINE = (0.0, 0.1)
REMEMBERED = 6
_DISTRESS = {
    "anger": "angry", "disgust": "angry", "sadness": "sad", "grief": "sad", "remorse": "sad", "fear": "anxious", "nervousness": "anxious",
}  # fmt: skip
_PLEASANT = frozenset(("content", "grateful", "excited"))
_PRIOR = {state: 0.55 if state == "neutral" else 0.05 for state in STATES}


@dataclass(frozen=True, slots=True)
class AffectState:
    """Mood so far: valence in [-1, 1], arousal in [0, 1], the newest message's likeliest emotion, and when it was.

    `spread` holds the variances of valence and arousal, `states` the distribution over the states, `recent` the latest
    states, newest last, and `felt` the valences with them. `fallen` is the CUSUM; `was`, `since` and `turned_at` tell from what the mood fell, at what and when.
    `source` is "face" as soon as a face has had a part in it: that needs a consent of its own, wherever the mood is kept.
    """

    valence: float
    arousal: float
    label: str
    at: str
    spread: tuple[float, float] = STATIONARY
    states: Mapping[str, float] = field(default_factory=dict)
    recent: tuple[str, ...] = ()
    felt: tuple[float, ...] = ()
    fallen: float = 0.0
    was: str | None = None
    since: str | None = None
    turned_at: str | None = None
    source: str = TEXT

    @property
    def mood(self) -> str:
        """One of "troubled", "neutral", "pleased": the coarse mood that the api tells."""
        if self.valence < TROUBLED:
            return "troubled"
        return "pleased" if self.valence > PLEASED else "neutral"

    @property
    def state(self) -> str:
        """One of `chatbot.voice.states.STATES`: what the choice of words follows; it never contradicts the valence."""
        if not self.states:
            return self._by_label()
        if self.valence < TROUBLED:
            return self._likeliest(DISTRESSED | {"impatient"})
        if self.valence > PLEASED:
            return self._likeliest(_PLEASANT)
        return self._likeliest(frozenset(("neutral", "confused", "impatient")))

    def _likeliest(self, among: frozenset[str]) -> str:
        return max(sorted(among), key=lambda state: self.states.get(state, 0.0))

    def _by_label(self) -> str:
        if self.valence < TROUBLED:
            return _DISTRESS.get(self.label, "frustrated")
        if self.valence > PLEASED:
            return {"gratitude": "grateful", "excitement": "excited"}.get(self.label, "content")
        return "confused" if self.label == "confusion" else "neutral"

    @property
    def plain(self) -> bool:
        """Whether distress is clear enough to be named; a guess steers, and offers a person, but says nothing of it."""
        certain = sum(self.states.get(state, 0.0) for state in DISTRESSED)
        return self.valence <= PLAIN_VALENCE or certain >= PLAIN_CHANCE

    @property
    def falling(self) -> bool:
        """Whether the mood has fallen and not recovered."""
        return self.fallen >= ALARM and self.state in DISTRESSED

    @property
    def turns(self) -> list[Felt]:
        """The mood after each of the latest messages, newest last; what was stored without valences has the ones that its states stand for."""
        known = dict(zip(range(len(self.recent))[::-1], reversed(self.felt), strict=False))
        rough = {True: 2 * TROUBLED, False: BASELINE[0]}
        return [Felt(known.get(place, rough[state in DISTRESSED]), state) for place, state in enumerate(self.recent)]

    @property
    def cause(self) -> str | None:
        """What the mood did, in words: "was neutral, is angry since the coupon"; None while it has not fallen."""
        if self.was is None or self.state not in DISTRESSED:
            return None
        return f"was {self.was}, is {self.state} since {self.since or 'the last messages'}"

    @property
    def uncertainty(self) -> float:
        """Standard deviation of the valence."""
        return round(math.sqrt(self.spread[0]), 3)

    def as_json(self) -> dict[str, Any]:
        """Return the state as it is stored and sent."""
        return {name: getattr(self, name) for name in _FIELDS} | {"states": dict(self.states)}

    def as_affect(self) -> Affect:
        """Return the state as the core takes it. A face's part in it needs its own consent, so the source names it."""
        return Affect(self.valence, self.arousal, self.states or {self.label: 1.0}, self.source)


_FIELDS = tuple(one.name for one in fields(AffectState))


def load(stored: Mapping[str, Any] | None) -> AffectState | None:
    """Return what `as_json` wrote, or None."""
    if stored is None:
        return None
    read: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items() if name in _FIELDS
    }
    blank: dict[str, Any] = {"arousal": BASELINE[1], "label": "neutral", "at": "1970-01-01T00:00:00+00:00"}
    return AffectState(**(blank | read))


def remembered(stored: Mapping[str, Any] | None, granted: Collection[Purpose]) -> AffectState | None:
    """Return what is kept of a member's mood where they agree to that: to profiling and, of a face's part in it, to reading it.

    What was kept before it had a source may be of a face.
    """
    if stored is None or Purpose.PROFILING not in granted:
        return None
    source = stored.get("source", FACE)
    return load({**stored, "source": source}) if source == TEXT or Purpose.EXPRESSION in granted else None


def begin(at: datetime, member: AffectState | None = None) -> AffectState:
    """Return the mood before the first message: unknown, or, by consent, what is left of the member's last one."""
    if member is None:
        return AffectState(*BASELINE, "neutral", at.isoformat(), states=_PRIOR)
    left = _faded(member, at, MEMBER_HALF_LIFE_S)
    return replace(
        left, spread=_widened(left.spread), recent=(), felt=(), fallen=0.0, was=None, since=None, turned_at=None
    )


def _widened(spread: tuple[float, float]) -> tuple[float, float]:
    return max(spread[0], STATIONARY[0] / 2), max(spread[1], STATIONARY[1] / 2)


def see(state: AffectState | None, seen: Observation, label: str, at: datetime, *, turn: bool = True) -> AffectState:
    """Return the mood after one more observation at `at`.

    `turn` says that the observation is a new message; what comes with it, a face or a click, refines the same moment.
    """
    before = _faded(state or begin(at), at, HALF_LIFE_S)
    prior = tuple(
        min(spread + (more if turn and state else 0.0), most)
        for spread, more, most in zip(before.spread, PER_TURN, STATIONARY, strict=True)
    )
    noise = (seen.variance, seen.variance / 2)
    gains = tuple(spread / (spread + by) for spread, by in zip(prior, noise, strict=True))
    surprise = seen.valence - before.valence
    valence = min(max(before.valence + gains[0] * surprise, -1.0), 1.0)
    arousal = min(max(before.arousal + gains[1] * (seen.arousal - before.arousal), 0.0), 1.0)
    after = replace(
        before,
        valence=round(valence, 4),
        arousal=round(arousal, 4),
        label=label,
        spread=(round(prior[0] * (1 - gains[0]), 5), round(prior[1] * (1 - gains[1]), 5)),
        states=_forward(before.states or _PRIOR, seen.states, stay=STAY if turn else 1.0),
        source=FACE if FACE in {before.source, seen.source} else TEXT,
    )
    after = _turned(state, after, surprise / math.sqrt(prior[0] + noise[0]), seen, at)
    recent = (after.state,) if turn or not after.recent else ()
    kept, valences = (after.recent, after.felt) if recent else (after.recent[:-1], after.felt[:-1])
    return replace(after, recent=(*kept, after.state)[-REMEMBERED:], felt=(*valences, after.valence)[-REMEMBERED:])


def update(
    state: AffectState | None, affect: Affect, label: str, at: datetime, cause: str | None = None
) -> AffectState:
    """Return the mood after one more message that felt like `affect`."""
    felt = affect if affect.emotions else replace(affect, emotions={label: 1.0})
    return see(state, replace(from_text("", felt), cause=cause), label, at)


def _faded(state: AffectState, at: datetime, half_life_s: float) -> AffectState:
    """Return the estimate carried to `at`: nearer to the baseline, and less certain."""
    elapsed = max((at - datetime.fromisoformat(state.at)).total_seconds(), 0.0)
    keep: float = 0.5 ** (elapsed / half_life_s)
    point = [base + (value - base) * keep for base, value in zip(BASELINE, (state.valence, state.arousal), strict=True)]
    spread = [keep**2 * own + (1 - keep**2) * unknown for own, unknown in zip(state.spread, STATIONARY, strict=True)]
    states = {name: keep * state.states.get(name, 0.0) + (1 - keep) * _PRIOR[name] for name in sorted(STATES)}
    return replace(
        state, valence=point[0], arousal=point[1], at=at.isoformat(), spread=(spread[0], spread[1]),
        states=states if state.states else {}, fallen=state.fallen * keep,
    )  # fmt: skip


def _forward(before: Mapping[str, float], fits: Mapping[str, float], *, stay: float) -> dict[str, float]:
    """One step of the forward filter: move, then weigh by how well each state fits what was seen."""
    moved = {
        state: stay * before.get(state, 0.0) + (1 - stay) * (0.5 * _PRIOR[state] + 0.5 / len(STATES))
        for state in sorted(STATES)
    }
    weighed = {state: chance * (REST + fits.get(state, 0.0)) for state, chance in moved.items()}
    total = sum(weighed.values())
    return {state: round(chance / total, 4) for state, chance in weighed.items()}


def _turned(
    state: AffectState | None, after: AffectState, innovation: float, seen: Observation, at: datetime
) -> AffectState:
    """Carry the CUSUM on, remember where a fall began and at what, and forget it when the mood is well again."""
    fallen = max(0.0, after.fallen - innovation - DRIFT)
    if fallen == 0.0 and after.state not in DISTRESSED:
        return replace(after, fallen=0.0, was=None, since=None, turned_at=None)
    if fallen > 0.0 and after.turned_at is None:
        was = state.state if state else "neutral"
        return replace(after, fallen=round(fallen, 4), was=was, since=seen.cause, turned_at=at.isoformat())
    return replace(after, fallen=round(fallen, 4), since=after.since or seen.cause)
