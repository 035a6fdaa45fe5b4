"""Counts: how many scripts ended as expected, what went wrong where, how soon frustration is noticed, how long answers take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.conversations.outcomes import Outcomes
from bench.conversations.play import Played, Result
from chatbot.voice.states import DISTRESSED

UPSET = ("angry", "frustrated")
GIVEN_UP = ("clarifies", "falls_back", "fails")
NOTICED_WITHIN, OFFERED_WITHIN = 1, 2  # turns after the first one in which the shopper is upset


@dataclass(frozen=True, slots=True)
class Score:
    """What was measured over some scripts. Rates are in [0, 1], and None where there was nothing to count.

    Attributes
    ----------
    succeeded : of `scripts`
    wrong : turns that were answered, with something else than was expected
    fallbacks : turns in which the assistant gave up, though a script did not expect it to
    emotion_right : of `emotions`, the turns whose feeling a script names
    noticed, offered : of `upset` scripts, those in which distress was heard within one turn of its onset, and a person offered within two
    to_offer : turns from the onset to the offer, of those that came to one
    loops : turns that repeated the answer before
    seconds : how long each answer took
    """

    scripts: int
    succeeded: int
    turns: int
    wrong: int
    fallbacks: int
    emotions: int
    emotion_right: int
    upset: int
    noticed: int
    offered: int
    to_offer: tuple[int, ...]
    loops: int
    seconds: tuple[float, ...]

    @property
    def task_success(self) -> float | None:
        """Share of the scripts that ended as expected."""
        return _share(self.succeeded, self.scripts)

    @property
    def emotion_accuracy(self) -> float | None:
        """Share of the turns with a named feeling in which it was heard."""
        return _share(self.emotion_right, self.emotions)

    @property
    def wrong_rate(self) -> float | None:
        """Share of the turns that were answered wrongly."""
        return _share(self.wrong, self.turns)

    @property
    def fallback_rate(self) -> float | None:
        """Share of the turns in which the assistant gave up."""
        return _share(self.fallbacks, self.turns)

    @property
    def noticed_rate(self) -> float | None:
        """Share of the upset in whom distress was heard within one turn."""
        return _share(self.noticed, self.upset)

    @property
    def handoff_within_2(self) -> float | None:
        """Share of the upset who were offered a person within two turns."""
        return _share(self.offered, self.upset)

    def percentile_ms(self, q: float) -> float | None:
        """Return the q-th percentile of the waiting times in milliseconds."""
        return round(float(np.percentile(self.seconds, q)) * 1000, 1) if self.seconds else None


def score(results: Sequence[Result], outcomes: Outcomes) -> Score:
    """Count over some scripts that were played."""
    turns = [turn for result in results for turn in result.turns if turn.step.pause is None]
    felt = [turn for turn in turns if turn.step.emotion and turn.heard.trouble is None]
    waits = [found for found in map(_upset, results) if found is not None]
    offers = [offer for _, offer in waits if offer is not None]
    return Score(
        len(results),
        sum(result.succeeded for result in results),
        len(turns),
        sum(bool(turn.failures) and not _gave_up(turn, outcomes) for turn in turns),
        sum(_gave_up(turn, outcomes) for turn in turns),
        len(felt),
        sum(turn.heard.feeling in turn.step.emotion for turn in felt),
        len(waits),
        sum(notice is not None and notice <= NOTICED_WITHIN for notice, _ in waits),
        sum(offer <= OFFERED_WITHIN for offer in offers),
        tuple(offers),
        sum(turn.looped for turn in turns),
        tuple(turn.heard.seconds for turn in turns if turn.heard.trouble is None),
    )


def by_topic(results: Sequence[Result]) -> Iterator[tuple[str, list[Result]]]:
    """Yield the results of each topic."""
    for topic in sorted({result.script.topic for result in results}):
        yield topic, [result for result in results if result.script.topic == topic]


def _upset(result: Result) -> tuple[int | None, int | None] | None:
    """Return turns from the onset of anger or frustration until it was heard, and until a person was offered; None without an onset.

    The onset is the first turn whose only feelings, by the script, are anger and frustration.
    """
    turns = [turn for turn in result.turns if turn.step.pause is None]
    onset = next(
        (n for n, turn in enumerate(turns) if turn.step.emotion and set(turn.step.emotion) <= set(UPSET)), None
    )
    if onset is None:
        return None
    after = turns[onset:]
    heard = next((n for n, turn in enumerate(after) if turn.heard.feeling in DISTRESSED), None)
    offer = next((n for n, turn in enumerate(after) if turn.heard.offers_human), None)
    return heard, offer


def _gave_up(turn: Played, outcomes: Outcomes) -> bool:
    """Whether the assistant gave up where it should not have; what a script allows is no failure."""
    return (bool(turn.failures) and outcomes.are(turn.heard.acts, GIVEN_UP)) or turn.heard.engine == "fallback"


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
