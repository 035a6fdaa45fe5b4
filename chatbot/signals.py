"""What tells of a shopper's mood: what they write, how they look, and what they do. Each becomes one observation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatbot.asides import without_asides
from chatbot.shopping.changes import changes
from chatbot.shopping.wish import rules_out
from chatbot.voice.states import DISTRESSED
from personalization.types import FACE, TEXT, Affect

Chances = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Observation:
    """A glimpse of the mood: a point in valence and arousal, how far off it may be, and how well it fits each state.

    `variance` is of the point's valence; `states` holds likelihoods (any scale; a state that is not named has `REST`).
    `cause` tells what happened, for the person who takes over; `source` is FACE or TEXT, which stands for all but faces.
    """

    valence: float
    arousal: float
    variance: float
    states: Chances = field(default_factory=dict)
    cause: str | None = None
    source: str = TEXT


TEXT_VARIANCE, NEUTRAL_VARIANCE = 0.08, 0.5  # who is annoyed and then just asks for milk is annoyed still
FACE_VARIANCE = 0.3
REST = 0.04

STATES_OF: Mapping[str, Chances] = {
    "admiration": {"content": 0.7, "excited": 0.3}, "amusement": {"content": 1.0}, "anger": {"angry": 1.0},
    "annoyance": {"frustrated": 0.7, "angry": 0.2, "impatient": 0.1}, "approval": {"content": 1.0},
    "caring": {"neutral": 0.6, "content": 0.4}, "confusion": {"confused": 1.0}, "curiosity": {"neutral": 1.0},
    "desire": {"neutral": 0.7, "excited": 0.3}, "disappointment": {"frustrated": 0.6, "sad": 0.4},
    "disapproval": {"frustrated": 0.5, "neutral": 0.5}, "disgust": {"angry": 0.6, "frustrated": 0.4},
    "embarrassment": {"anxious": 0.6, "sad": 0.4}, "excitement": {"excited": 1.0}, "fear": {"anxious": 1.0},
    "gratitude": {"grateful": 1.0}, "grief": {"sad": 1.0}, "joy": {"content": 0.7, "excited": 0.3},
    "love": {"content": 0.6, "excited": 0.4}, "nervousness": {"anxious": 1.0}, "optimism": {"content": 1.0},
    "pride": {"content": 1.0}, "realization": {"neutral": 1.0}, "relief": {"content": 1.0}, "remorse": {"sad": 1.0},
    "sadness": {"sad": 1.0}, "surprise": {"neutral": 0.5, "excited": 0.25, "confused": 0.25}, "neutral": {"neutral": 1.0},
}  # fmt: skip
"""How a GoEmotions label counts as a state, where the model does not tell the states itself."""

CERTAIN, PATIENT = 0.8, 0.15
"""From which chance on patience ends whatever else a message is about, and below which a harsh word is not meant for us."""
_CROSS = frozenset(("frustrated", "angry"))
_HURRY = re.compile(
    r"\b(hurry|asap|right now|how much longer|how long (will|does|do|is)|still waiting|been waiting|come on|"
    r"no time|in a rush|quick(ly)? please|just (tell|give|show) me|get on with it)\b|\?{2,}|\.{3,}\s*hello\b",
    re.IGNORECASE,
)


_SARCASM = re.compile(
    r"\bthanks? (?:you )?(?:so much |very much |a lot )?for (?:nothing|wasting|making it worse)\b|\byeah,? right\b|\b(?:very|so|really|super) helpful,? not\b|\b(?:great|nice|good|fantastic|brilliant|wonderful) (?:job|work|help|service),? not\b"
    r"|\b(?P<praise>great|brilliant|wonderful|fantastic|lovely|perfect|super)\W+(?:just|really|simply|absolutely|so|how) (?P=praise)\b|\b(?:real|right|true|total|such an?|some|what an?|you(?:'re| are)(?: an?)?(?: real| right| total)?) (?:genius|expert|einstein|joke|clown|hero)(?=\W*$|[,.;!?]|\s+(?:you|aren'?t|this|that|bot|of|who)\b)"
    r"|\b(?:bravo|clever|smart|funny|helpful|useful|great|good|nice|brilliant|job|work|help|service)\W+not\W*$|\b(?:all|waited|came|went|stood|did|wasted|walked|drove|hour|hours|way|day) .{0,12}for nothing\b"
    r"|^\W*(?:oh )?(?:just )?(?:great|brilliant|wonderful|fantastic|lovely|perfect|charming),? (?:another|again|now|as usual|as always)\b",
    re.IGNORECASE,
)

_SWEARS = re.compile(
    r"\b(?:f+u?[*#@$%]+c?k?\w*|f+u+c+k+\w*|s[*#@$!]+t\w*|b[*#]+(?:ch|llsh)\w*|wtf|ffs|for (?:fuck|god|christ|heaven|goodness)'?s? ?sake|bloody (?:hell|useless|joke|nonsense)|(?:god)?damn\w*(?! (?:good|nice|great|fine|tasty|cheap|fast|delicious|daniel|yankees))|bullshit|(?<!for )crap(?:py)?(?!s\b)(?! (?:fishing|bait|lures?|shoot|table|game))|(?:what|why|who|where|how) the hell|bloody(?! (?:mary|marys|marias?|steaks?|moon|knuckles|fingers?|roar|brains?|hands?|zombie))|piss(?:ed)? off)(?!\w)",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"\b(?:(?:second|third|fourth|fifth|umpteenth|\d+(?:nd|rd|th)) time (?:now|already|in a row|i(?:'m| am|'ve| have)? (?:ask|say|tell|writ|had|hav))\w*|for the (?:second|third|fourth|fifth|umpteenth|hundredth|\d+(?:nd|rd|th)) time|how many times (?:do|must|should|have)|i(?:'ve| have)? already (?:told|said|asked|explained|answered)"
    r"|(?:told|asked) you (?:already|twice|before|three times)|again and again|over and over|(?:don'?t|never|not) (?:even )?listen|(?:are|do|did|can) you even\b|are you (?:reading|listening)|\bno\b.{0,40}\bi said|not what i asked|that'?s not what i (?:asked|said|meant|want)|you'?re not (?:listening|helping)|going (?:round )?in circles)\b",
    re.IGNORECASE,
)
_WITHOUT_WORDS = re.compile(r"^(?=\W+$).*[?!]{3}", re.DOTALL)
_IN_SO_MANY_WORDS: tuple[tuple[re.Pattern[str], Chances], ...] = (
    (_AGAIN, {"frustrated": 1.0, "impatient": 0.4, "angry": 0.3}), (_SARCASM, {"frustrated": 1.0, "angry": 0.5}), (_SWEARS, {"angry": 1.0, "frustrated": 0.5}),
    (_WITHOUT_WORDS, {"frustrated": 1.0, "impatient": 0.5}),
)  # fmt: skip
"""Praise that is none, swearing, having to say it again, and nothing but signs: short cues that a model of single messages takes for calm."""


def from_text(
    text: str,
    felt: Affect,
    states: Chances | None = None,
    *,
    unmet: float | None = None,
    exasperated: float | None = None,
) -> Observation:
    """Return what a message tells: `felt` is its emotion, `states` and `unmet` what the model says of states, if it does.

    `unmet` is the probability that the shopper's need was not met so far (`chatbot.emotion.satisfaction`), `exasperated` that their
    patience ends, whatever the words.
    """
    ends = 0.5 if exasperated is None else exasperated  # where nobody listens for it neither side is certain
    label = max(felt.emotions, key=lambda name: felt.emotions[name], default="neutral")
    fits = dict(states) if states else _states(felt)
    valence, arousal = felt.valence, felt.arousal
    variance = NEUTRAL_VARIANCE if label == "neutral" and abs(valence) < 0.2 else TEXT_VARIANCE
    if _HURRY.search(text) and valence <= 0.3 and ends <= 0.5:
        fits |= {"impatient": fits.get("impatient", 0.0) + 1.5, "neutral": 0.2 * fits.get("neutral", 0.0)}
        arousal = max(arousal, 0.5)
    likeliest = max(fits, key=lambda name: fits[name], default="neutral")
    excluded, at_basket = rules_out(text), bool(changes(without_asides(text)))
    if ends > (CERTAIN if excluded or at_basket else 0.5):  # "take that out again" is a wish
        valence, variance = min(valence, -0.3 - 0.5 * ends), min(variance, TEXT_VARIANCE)
        if likeliest not in DISTRESSED:
            fits["frustrated"] = max(fits.get("frustrated", 0.0), 1.2 * ends)
    elif excluded and likeliest not in {"anxious", "sad"}:  # who hates olives is not angry with us
        valence, variance = max(valence, -0.2), NEUTRAL_VARIANCE
    elif ends < PATIENT and likeliest in _CROSS:  # "no, I meant the other shop" puts right, and is not upset
        valence, variance = max(valence, -0.3), NEUTRAL_VARIANCE
    for rule, felt_so in _IN_SO_MANY_WORDS:
        if rule.search(text):
            valence, variance, fits = min(valence, -0.6), min(variance, TEXT_VARIANCE), dict(felt_so)
    if unmet is not None and unmet > 0.5:
        valence, variance = min(valence, 0.5 - unmet), min(variance, 0.2)
        fits["frustrated"] = fits.get("frustrated", 0.0) + unmet - 0.5
    return Observation(valence, arousal, variance, fits)


_COURTESY = re.compile(
    r"\b(?:(?:oh|ah|no|wait|ok|okay),?\s+)*(?:i'?m |i am )?(?:so |very )?(?:sorry|apologies|pardon|excuse me)\b(?! (?:state|excuse|sight))[,.!;:\s]*",
    re.IGNORECASE,
)


def without_courtesy(text: str) -> str:
    """Return a message without "sorry" where it says more: who corrects themselves is polite and not sad."""
    rest = _COURTESY.sub(" ", text).strip()
    return rest if len(rest.split()) > 1 else text


def _states(felt: Affect) -> dict[str, float]:
    fits: dict[str, float] = {}
    for label, chance in felt.emotions.items():
        for state, share in STATES_OF.get(label, {}).items():
            fits[state] = fits.get(state, 0.0) + chance * share
    return fits


_FACES: Mapping[str, tuple[float, float, Chances]] = {
    "positive": (0.7, 0.5, {"content": 0.6, "excited": 0.2, "grateful": 0.2}),
    "neutral": (0.0, 0.1, {"neutral": 0.6}),
    "surprised": (0.1, 0.7, {"confused": 0.3, "excited": 0.3, "neutral": 0.3}),
    "negative": (-0.6, 0.5, {"frustrated": 0.4, "angry": 0.2, "sad": 0.3, "anxious": 0.2}),
}


def from_face(expression: str, valence: float | None = None, certainty: float | None = None) -> Observation:
    """Return what a face tells: less than words do, since faces at displays are seen briefly and from afar.

    The less certain (in [0, 1]) the expression, the less it counts.
    """
    point, arousal, states = _FACES[expression]
    variance = FACE_VARIANCE / max(1.0 if certainty is None else certainty, 0.1)
    return Observation(point if valence is None else valence, arousal, variance, states, source=FACE)


_BEHAVIOUR: Mapping[str, Observation] = {
    "rage_click": Observation(
        -0.6, 0.8, 0.25, {"impatient": 0.5, "frustrated": 0.5, "angry": 0.3}, "clicking again and again"
    ),
    "repeated_question": Observation(
        -0.4, 0.5, 0.3, {"frustrated": 0.5, "impatient": 0.3, "confused": 0.3}, "having to ask the same again"
    ),
    "resent": Observation(
        -0.3, 0.5, 0.5, {"impatient": 0.4, "frustrated": 0.4, "neutral": 0.2}, "having to send a message again"
    ),
    "hurried_scroll": Observation(
        -0.15, 0.5, 0.8, {"impatient": 0.3, "confused": 0.3, "neutral": 0.3}, "looking for something and not finding it"
    ),
    "reopened_chat": Observation(-0.15, 0.4, 0.8, {"impatient": 0.2, "neutral": 0.3}, "coming back to the chat"),
    "failed_turn": Observation(
        -0.3, 0.4, 0.5, {"confused": 0.4, "frustrated": 0.4, "neutral": 0.2}, "not being understood"
    ),
}
BEHAVIOURS = tuple(_BEHAVIOUR)
"""What the widget or the chat itself may report."""


def from_behaviour(kind: str) -> Observation:
    """Return what an act of the shopper tells; KeyError for one that is not of BEHAVIOURS."""
    return _BEHAVIOUR[kind]


def repeats(text: str, earlier: Sequence[str]) -> int:
    """Return how often a message asks what the last few asked, 2 at most; said with stress it counts once more.

    The same are most of three words or more, a message that goes on after them, and, with stress, all words of either.
    """
    asked, stressed = _content(text), _stressed(text)
    before = [said for said in map(_content, earlier[-4:]) if said]
    goes_on = [said for said in earlier[-4:] if len(_content(said)) >= 3 and _goes_on(text, said)]
    same = [said for said in before if len(asked) >= 3 and len(asked & said) / len(asked | said) >= 0.7]
    part = [said for said in before if stressed and len(said) > 1 and (said <= asked or asked <= said)]
    times = max(len(same), len(goes_on), len(part))
    return min(times + stressed, 2) if times else 0


_STRESS = re.compile(r"[!?]{2}|^(?:\w+[.!] ){2,}\w+[.!?]?$")


def _stressed(text: str) -> bool:
    """Whether a message stresses its words by signs, each by a full stop, or one of them by capitals."""
    return _STRESS.search(text) is not None or (text != text.upper() and re.search(r"\b[A-Z]{3,}\b", text) is not None)


def _goes_on(text: str, said: str) -> bool:
    """Whether a message is an earlier one, and then another sentence: "show me milk under $3" asks for less, and is no repetition."""
    begins = text.strip().lower()
    return (
        begins.startswith(said.strip(" .?!").lower())
        and re.match(r"\s*[.?!;,]", begins[len(said.strip(" .?!")) :]) is not None
    )


def _content(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", text.lower()))


def cause_of(act: str | None) -> str | None:
    """Return in words what a shopper's mood may have turned at, when the bot had just answered with `act`."""
    if not act:
        return None
    for beginning, words in _CAUSES:
        if act.startswith(beginning):
            return words
    return None


_CAUSES = (
    ("coupon.none", "there was no coupon"), ("coupon.", "the coupon"), ("conversation.clarify", "the bot did not understand"),
    ("conversation.out_of_scope", "the bot could not help"), ("conversation.failed", "something failed on our side"),
    ("conversation.fallback", "the full assistant was away"), ("search.nothing", "nothing was found"),
    ("search.", "the search"), ("recommend.", "the suggestions"), ("order.", "the order"), ("basket.", "the basket"),
    ("account.", "the account"), ("handoff.closed", "nobody was there"), ("handoff.away", "nobody was there"),
    ("handoff.", "waiting for a person"), ("shop.", "what the shop offers"),
)  # fmt: skip
