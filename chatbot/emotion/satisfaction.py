"""P(dissatisfied): how likely the last answers failed the shopper, from the message and what led to it.

The weights are set by hand, a reason each. No satisfaction ratings were fitted: the only public ones of service dialogue (USS,
Sun et al. 2021) state no licence, so they judge this estimate and do not train it. `docs/models/emotion.md` has both figures.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatbot.emotion.reading import Reading

REMEMBERED = 6  # turns that count
FADING = 0.6  # of an earlier turn's weight, per turn
MOST_ODDS = 4.0  # what one reading may claim, in log-odds
UNREMARKABLE = -3.0  # log-odds of disapproval in a message that says nothing of the kind

WEIGHTS: Mapping[str, float] = {
    "bias": -1.5,
    "unmet": 0.3,  # per log-odds of the message's own reading, which was trained on written refusals and corrections
    "refusal": 0.45,  # per log-odds of disapproval above UNREMARKABLE: a suggestion is turned down
    "feeling": 0.8,  # negative less positive, in [-1, 1]
    "failed": 1.0,  # the answer before was none: nothing found, refused, not understood
    "again": 0.6,  # the shopper says again what was said before, in [0, 1]
    "loop": 0.8,  # the bot answered the same before
    "before": 0.3,  # per log-odds of the earlier messages, fading
    "opening": -1.8,  # nothing has been answered yet: a first message is a wish, not a verdict
}

_FAILURE = re.compile(
    r"\b(sorry|apologi[sz]e|unfortunately|unable|afraid|fail(?:ed|s)?|error|unavailable)\b"
    r"|\b(?:can|could|did|do|does|is|are|was|were|has|have|will|would)(?:n't| ?not)\b"
    r"|\bno (?:other|more|such|results?|matching|available|\w+ (?:available|found|match\w*|that match\w*))"
    r"|\b(?:nothing|none|without success|not (?:available|possible|find|found))\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9']+")
_COMMON = frozenset(
    [
        "a",
        "an",
        "the",
        "i",
        "i'm",
        "i'd",
        "i'll",
        "it",
        "is",
        "to",
        "for",
        "of",
        "in",
        "on",
        "at",
        "and",
        "or",
        "you",
        "me",
        "my",
        "please",
        "can",
        "could",
        "do",
        "does",
        "what",
        "that",
        "this",
        "with",
        "yes",
        "no",
        "ok",
        "want",
        "need",
        "like",
        "would",
        "be",
        "are",
        "have",
        "has",
        "one",
        "some",
        "any",
        "about",
    ]
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A shopper's message, what was heard in it, and the bot's answer that it follows ("" before the first).

    `failed` : the dialogue knows that this answer did not help (fallback, nothing found, refused).
    """

    text: str
    felt: Reading
    answered: str = ""
    failed: bool = False


def dissatisfied(turns: Sequence[Turn]) -> float:
    """Return the probability that the shopper is dissatisfied at the last of `turns` (oldest first)."""
    return 1 / (1 + math.exp(-sum(evidence(turns).values())))


def evidence(turns: Sequence[Turn]) -> dict[str, float]:
    """Return what speaks for (above 0) and against dissatisfaction, in log-odds; they sum to the estimate's."""
    *earlier, last = turns
    return {name: WEIGHTS[name] * value for name, value in signals(earlier[-REMEMBERED:], last).items()}


def signals(earlier: Sequence[Turn], last: Turn) -> dict[str, float]:
    """Return the signals that are weighed."""
    weights = [FADING**age for age in range(len(earlier), 0, -1)]
    history = sum(weight * odds(turn.felt.unmet) for weight, turn in zip(weights, earlier, strict=True))
    return {
        "bias": 1.0,
        "unmet": odds(last.felt.unmet),
        "refusal": odds(last.felt.emotions["disapproval"]) - UNREMARKABLE,
        "feeling": last.felt.groups["negative"] - last.felt.groups["positive"],
        "failed": float(last.failed or _FAILURE.search(last.answered) is not None),
        "again": max((alike(last.text, turn.text) for turn in earlier), default=0.0),
        "loop": float(bool(last.answered) and any(_same(last.answered, turn.answered) for turn in earlier)),
        "before": history / sum(weights) if weights else 0.0,
        "opening": float(not earlier),
    }


def odds(chance: float) -> float:
    """Return the log-odds, at most MOST_ODDS either way."""
    chance = min(max(chance, 1e-6), 1 - 1e-6)
    return min(max(math.log(chance / (1 - chance)), -MOST_ODDS), MOST_ODDS)


def alike(text: str, other: str) -> float:
    """Return the share of the telling words of `text` that `other` has too; 0 below two such words."""
    words, others = _telling(text), _telling(other)
    return len(words & others) / len(words) if len(words) > 1 else 0.0


def _telling(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _COMMON


def _same(answer: str, other: str) -> bool:
    return answer.strip().lower() == other.strip().lower()
