"""A scripted conversation: who the shopper is, what they write, and what must come of it. Read from YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from chatbot.voice.states import STATES

OUTCOMES = "outcomes.yml"
OPENED = 96  # of 256: the share of the held-out half that was opened on 2026-11-27, when .852 of it succeeded
SEEN = frozenset({"recommend-open"})  # read by mistake since then
PRACTICE = "practice"  # begins the name of a file that was written later, and to tune on
ANY = "any"
Shop = Literal["groceries", "orders"]
Persona = Literal["calm", "impatient", "angry", "sad", "confused", "anxious", "excited"]
Split = Literal["tune", "held_out"]
Who = Literal["visitor", "member"]
HANDOFFS = ("bot", "offered", "queued")


class ScriptError(ValueError):
    """A script that cannot be played; the message names the file, the script and the turn."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true of one answer. An empty field asks nothing.

    Attributes
    ----------
    does : outcomes or act patterns, one of which an act of the answer must match
    finds : words, of which one must be found on the products; where the shop sells none, an honest "nothing"
    items : "none", or what holds for the products: under, without, new, cheaper, min
    about_shown : places in the last list, counted from 1 or from the end, that the answer must be about
    tells_price_of : a place in the last list whose price must be told
    tells, never : regular expressions, one of which must be in the words, and none of which may be
    coupon : whether a coupon card comes with it
    handoff : one of "bot" (nobody called), "offered", "queued"
    basket : lines, min_lines, quantity, at_most, about, shown
    """

    does: tuple[str, ...] = ()
    finds: tuple[str, ...] = ()
    items: Mapping[str, Any] | None = None
    about_shown: tuple[int, ...] = ()
    tells_price_of: int | None = None
    tells: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    coupon: bool | None = None
    handoff: tuple[str, ...] = ()
    basket: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """The shopper answers what is asked, by the outcome of the question, until one of `until`, for `within` messages at most."""

    answers: Mapping[str, str]
    until: tuple[str, ...]
    within: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the shopper does: write, press a button whose title has `press`, answer what is asked, reload the page."""

    user: str | None = None
    press: str | None = None
    pause: str | None = None
    answering: Answering | None = None
    expected: Expected = field(default_factory=Expected)
    emotion: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """One conversation."""

    id: str
    topic: str
    split: Split
    shop: Shop
    persona: Persona
    who: Who
    steps: tuple[Step, ...]


def split_of(script_id: str, topic: str = "") -> Split:
    """Return the part that a script belongs to: by its id alone, whatever it asks; practice is all to tune on.

    Half were held out. 57 of these 142 were opened later; nobody has looked at the rest.
    """
    if topic.startswith(PRACTICE):
        return "tune"
    drawn = hashlib.sha256(script_id.encode()).digest()
    return "tune" if script_id in SEEN or drawn[0] % 2 or drawn[1] < OPENED else "held_out"


def load(folder: Path, outcomes: frozenset[str]) -> list[Script]:
    """Return every script of a folder; ScriptError for the first that is wrong."""
    if not folder.is_dir():
        raise ScriptError(f"there is no folder {folder}")
    scripts: list[Script] = []
    for file in sorted(folder.glob("*.yml")):
        if file.name != OUTCOMES:
            scripts += _of_file(file, outcomes)
    ids = [script.id for script in scripts]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ScriptError(f"{folder}: there are two scripts with the id {twice[0]}")
    if not scripts:
        raise ScriptError(f"{folder} holds no scripts")
    return scripts


def _of_file(file: Path, outcomes: frozenset[str]) -> Iterator[Script]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ScriptError(f"{file.name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, list):
        raise ScriptError(f"{file.name} is not a list of scripts")
    for entry in found:
        yield _Reader(file.name, entry, outcomes).script(file.stem)


class _Reader:
    """Reads one script and says where it is wrong."""

    def __init__(self, file: str, entry: Any, outcomes: frozenset[str]) -> None:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise ScriptError(f"{file}: a script has no id")
        self._entry: dict[str, Any] = entry
        self._where, self._outcomes = f"{file}, {entry['id']}", outcomes

    def script(self, topic: str) -> Script:
        entry = self._entry
        self._known(entry, {"id", "split", "shop", "persona", "who", "turns", "never"})
        turns = entry.get("turns")
        if not isinstance(turns, list) or not turns:
            raise self._wrong("it has no turns")
        never = _texts(entry.get("never"))
        return Script(
            entry["id"],
            topic,
            self._one(entry.get("split"), get_args(Split), "split"),
            self._one(entry.get("shop", "groceries"), get_args(Shop), "shop"),
            self._one(entry.get("persona", "calm"), get_args(Persona), "persona"),
            self._one(entry.get("who", "visitor"), get_args(Who), "who"),
            tuple(self._step(number, turn, never) for number, turn in enumerate(turns, 1)),
        )

    def _step(self, number: int, turn: Any, never: tuple[str, ...]) -> Step:
        if not isinstance(turn, dict):
            raise self._wrong(f"turn {number} is not a mapping")
        does = [name for name in ("user", "press", "pause", "answering") if name in turn]
        if len(does) != 1:
            raise self._wrong(f"turn {number} needs one of user, press, pause and answering")
        expectations = set(Expected.__slots__) | {"emotion"}
        self._known(turn, {"user", "press", "pause", "answering", "until", "within"} | expectations, number)
        for name in ("user", "press", "pause"):
            if name in turn and not (isinstance(turn[name], str) and turn[name]):
                raise self._wrong(f"turn {number}: {name} must be a text; put it between quotes")
        emotion = _texts(turn.get("emotion"))
        for label in emotion:
            self._one(label, tuple(STATES), "emotion")
        return Step(
            turn.get("user"), turn.get("press"), turn.get("pause"), self._answering(number, turn),
            self._expected(turn, never), emotion,
        )  # fmt: skip

    def _answering(self, number: int, turn: dict[str, Any]) -> Answering | None:
        if "answering" not in turn:
            return None
        answers, until = turn["answering"], self._named(turn.get("until"))
        if not isinstance(answers, dict) or not until or not isinstance(turn.get("within"), int):
            raise self._wrong(f"turn {number}: answering needs answers, until and within")
        self._named(list(answers))
        if not all(isinstance(text, str) for text in answers.values()):
            raise self._wrong(f"turn {number}: an answer must be a text; put it between quotes")
        return Answering(answers, until, turn["within"])

    def _expected(self, turn: dict[str, Any], never: tuple[str, ...]) -> Expected:
        items = turn.get("items")
        if items is not None:
            items = {"max": 0} if items == "none" else items
            self._known(items, {"min", "max", "under", "without", "new", "cheaper"})
        basket = turn.get("basket")
        if basket is not None:
            self._known(basket, {"lines", "min_lines", "quantity", "at_most", "about", "shown"})
        handoff = _texts(turn.get("handoff"))
        for state in handoff:
            self._one(state, HANDOFFS, "handoff")
        return Expected(
            self._named(turn.get("does")), _texts(turn.get("finds")), items, tuple(turn.get("about_shown", ())), turn.get("tells_price_of"),
            _texts(turn.get("tells")), (*never, *_texts(turn.get("never"))), turn.get("coupon"), handoff, basket,
        )  # fmt: skip

    def _named(self, value: Any) -> tuple[str, ...]:
        """Return outcomes by name; a name with a dot or a star is a pattern of acts."""
        names = _texts(value)
        for name in names:
            if name != ANY and "." not in name and "*" not in name and name not in self._outcomes:
                raise self._wrong(f"there is no outcome {name}")
        return names

    def _known(self, found: Any, allowed: set[str], number: int | None = None) -> None:
        if not isinstance(found, dict) or set(found) - allowed:
            wrong = sorted(set(found) - allowed) if isinstance(found, dict) else [found]
            raise self._wrong(f"{f'turn {number}: ' if number else ''}{wrong[0]} is not known here")

    def _one(self, value: Any, allowed: Sequence[str], name: str) -> Any:
        if value not in allowed:
            raise self._wrong(f"{name} is {value}, not one of {', '.join(sorted(allowed))}")
        return value

    def _wrong(self, told: str) -> ScriptError:
        return ScriptError(f"{self._where}: {told}")


def _texts(value: Any) -> tuple[str, ...]:
    """Return one text or several as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(text) for text in value)
