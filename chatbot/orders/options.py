"""What kind of a product someone wants: option values, "bigger", "the cheapest", and what may change with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chatbot.orders.text import Token, find, key_of, keys, tokens
from personalization.orders import Variant

_NOT_THIS = {"not", "than", "from", "except", "without", "no", "non", "isn't"}
_FREE = re.compile(r"(?i)\b(?:do(?:n'?t| not) (?:really )?care|does(?:n'?t| not) matter|do(?:n'?t| not) mind|any other|either way|regardless|whatever)\b")  # fmt: skip
_CHEAPEST = re.compile(
    r"(?i)\b(?:cheapest|least expensive|lowest[- ]priced?|lowest price|most affordable|least costly)\b"
)
_DEAREST = re.compile(r"(?i)\b(?:most expensive|priciest|dearest|highest[- ]priced?|highest price|most costly)\b")
_MORE = re.compile(
    r"(?i)\b(bigger|larger|longer|taller|wider|brighter|higher|more|greater|harder|thicker|stronger|faster)\b"
)
_LESS = re.compile(r"(?i)\b(smaller|shorter|lower|less|fewer|dimmer|easier|thinner|lighter|weaker|slower)\b")
_MOST = re.compile(
    r"(?i)\b(biggest|largest|longest|tallest|brightest|highest|most|maximum|max|greatest|hardest|thickest|maximi[sz]ed?)\b"
)
_LEAST = re.compile(r"(?i)\b(smallest|shortest|lowest|least|fewest|minimum|min|dimmest|easiest|thinnest)\b")
_MEANS = {
    "bright": ("brightness",), "dim": ("brightness",), "long": ("length", "battery life"), "short": ("length", "height"), "tall": ("height",),
    "eas": ("difficulty level",), "hard": ("difficulty level",), "thick": ("thickness",), "thin": ("thickness",),
    "big": ("size", "capacity", "screen size", "frame size", "height"), "large": ("size", "capacity", "screen size", "frame size", "storage", "height"),
    "small": ("size", "capacity", "screen size", "frame size", "height"),
}  # fmt: skip
_SCALES = (
    ("xs", "s", "m", "l", "xl", "xxl"), ("small", "medium", "large"), ("portable", "medium", "large"), ("low", "medium", "high"),
    ("beginner", "intermediate", "expert"), ("basic", "professional"), ("1080p", "2k", "4k", "5k"), ("i5", "i7", "i9"),
    ("not resistant", "ipx4", "ipx7"),
)  # fmt: skip
_SIZES = {"small": "s", "medium": "m", "large": "l", "extra large": "xl"}
_UNITS = {"tb": 1000.0, "l": 1000.0, "k": 1000.0}


@dataclass(slots=True)
class Wanted:
    """Option name to the values that will do, the first the best; what may be anything; and the extremes."""

    values: dict[str, list[str]] = field(default_factory=dict)
    excluded: dict[str, set[str]] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)
    all_free: bool = False
    more: dict[str, int] = field(default_factory=dict)  # +1 more, -1 less, +2 most, -2 least
    price: int = 0  # -1 cheapest, 1 dearest

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return not (self.values or self.excluded or self.more or self.price)


def read_options(text: str, kinds: Sequence[Variant], old: Mapping[str, str] | None = None) -> Wanted:
    """Return what `text` says about the options that `kinds` differ in; `old` is what the shopper has."""
    wanted = Wanted()
    words = tokens(text)
    choices: dict[str, list[str]] = {}
    for kind in kinds:
        for name, value in kind.options.items():
            if value not in choices.setdefault(name, []):
                choices[name].append(value)
    claimed: dict[int, int] = {}
    found = _nearest_label(list(_matches(words, choices)), words)
    for name, value, at, size in sorted(found, key=lambda match: -match[3]):
        if any(claimed.get(i, 0) > size for i in range(at, at + size)):
            continue  # "rose gold" is not "gold"
        claimed.update({i: max(size, claimed.get(i, 0)) for i in range(at, at + size)})
        if _negated(words, at) and value not in {"no", "none"}:
            wanted.excluded.setdefault(name, set()).add(value)
        elif value not in wanted.values.setdefault(name, []):
            wanted.values[name].append(value)
    order = {(n, v): at for n, v, at, _ in found}
    for name, values in wanted.values.items():
        values.sort(key=lambda value, name=name: order.get((name, value), 0))  # type: ignore[misc]
    wanted.values = {name: values for name, values in wanted.values.items() if values}
    _compare(text, words, choices, wanted, old)
    _set_free(text, choices, wanted)
    wanted.price = -1 if _CHEAPEST.search(text) else 1 if _DEAREST.search(text) else 0
    return wanted


def _matches(words: Sequence[Token], choices: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, str, int, int]]:
    """Yield (option, value, position, words) of everything that is said."""
    for name, values in choices.items():
        label = keys(name)
        for value in values:
            yield from ((name, value, at, size) for at, size in _places(words, label, value, values))


def _nearest_label(found: list[tuple[str, str, int, int]], words: Sequence[Token]) -> list[tuple[str, str, int, int]]:
    """Where one word could belong to two options ("medium", of size or ventilation), keep the one whose name stands next to it."""

    def labelled(name: str, at: int, size: int) -> bool:
        around = {word.key for word in words[max(0, at - 1) : at + size + 1]}
        return bool(({key.removesuffix("d") for key in around} | around) & set(keys(name)))

    named = {at for name, _, at, size in found if labelled(name, at, size)}
    return [match for match in found if match[2] not in named or labelled(match[0], match[2], match[3])]


def _places(
    words: Sequence[Token], label: Sequence[str], value: str, values: Sequence[str]
) -> Iterable[tuple[int, int]]:
    """Yield (position, words) of everything that says one value of an option."""
    part = keys(value)
    near = [i for i, word in enumerate(words) if word.key in label]
    if value in {"yes", "no", "none"}:
        yield from _yes_or_no(words, label, value, values)
        return
    plain = len(part) == 1 and (part[0].isdigit() or len(part[0]) == 1)
    exact = find(part, words)
    for at in exact:
        if not plain or len(words) <= 3 or any(abs(i - at) <= 2 for i in near) or (len(part[0]) > 2):
            yield at, len(part)
    for said, short in _SIZES.items():
        if part and short == part[0]:
            yield from ((at, len(keys(said))) for at in find(keys(said), words) if not _extra(words, at))
    if len(part) > 1 and not exact:
        yield from _by_a_part(words, label, part, values)


def _yes_or_no(
    words: Sequence[Token], label: Sequence[str], value: str, values: Sequence[str]
) -> Iterable[tuple[int, int]]:
    """Yield where an option is named that one has or has not: "waterproof", "no backlight"."""
    refused = value in {"no", "none"}
    if "yes" not in values and ("none" not in values or not refused):
        return
    for at in find(label[:1] if len(label) > 1 else label, words):
        if _negated(words, at) == refused:
            yield at, 1


def _by_a_part(
    words: Sequence[Token], label: Sequence[str], part: Sequence[str], values: Sequence[str]
) -> Iterable[tuple[int, int]]:
    """Yield where one word of a value stands that no other value has: "Google" for Google Assistant, "1 TB" for 1 TB SSD."""

    def alone(key: str) -> bool:
        if key.isdigit():
            return key == part[0] and len(words) < 30 and sum(keys(other)[0] == key for other in values) == 1
        return len(key) > 1 and key not in label and sum(key in keys(other) for other in values) == 1

    near = [i for i, word in enumerate(words) if word.key in label]
    for key in filter(alone, part):
        for at in find([key], words, exactly=True):
            beside = any(abs(i - at) <= 2 for i in near) or (at + 1 < len(words) and words[at + 1].key in part)
            if beside or not key.isdigit():
                yield at, 1


def _extra(words: Sequence[Token], at: int) -> bool:
    return at > 0 and words[at - 1].key == "extra" and words[at].key == "large"


def _negated(words: Sequence[Token], at: int) -> bool:
    before = [word.key for word in words[max(0, at - 2) : at]]
    return (
        bool(_NOT_THIS & set(before[-1:]))
        or before[-2:] == ["instead", "of"]
        or (len(before) == 2 and before[0] in {"not", "without", "non"} and before[1] in {"a", "the", "any"})
    )


def _compare(
    text: str,
    words: Sequence[Token],
    choices: Mapping[str, Sequence[str]],
    wanted: Wanted,
    old: Mapping[str, str] | None,
) -> None:
    """Note "bigger", "lower resolution", "1000 more pieces" and the like."""
    for pattern, way in ((_MORE, 1), (_LESS, -1), (_MOST, 2), (_LEAST, -2)):
        for match in pattern.finditer(text):
            word = match[1].lower()
            after = text[match.end() : match.end() + 40]
            if re.match(r"(?i)\s+(?:expensive|costly|affordable|than \$|money)", after):
                continue
            name = _option_of(word, text[max(0, match.start() - 25) : match.end() + 40], choices)
            if name is None:
                continue
            way_now = -way if word in {"less", "fewer"} and way > 0 else way
            wanted.more.setdefault(name, way_now)
            number = (
                re.search(r"(\d+)\s*$", text[: match.start()])
                or re.match(r"\s*(\d+)", after)
                or re.search(r"\b(\d{2,})\s+(?:pieces\s+)?$", text[: match.start()])
            )
            if number and old and name in old and abs(way) == 1:
                target = _rank(old[name], choices[name]) + way * float(number[1])
                exact = [value for value in choices[name] if _rank(value, choices[name]) == target]
                if exact:
                    wanted.more.pop(name)
                    wanted.values[name] = exact
    number_of = re.search(
        r"(?i)\b(\d+)\s+(?:pieces\s+)?(more|less|fewer)\b|\b(\d+)\s+pieces\s+(more|less|fewer)\b", text
    )
    if number_of and old and "pieces" in choices and "pieces" in old:
        amount, sign = (
            float(number_of[1] or number_of[3]),
            -1 if (number_of[2] or number_of[4]).lower() in {"less", "fewer"} else 1,
        )
        exact = [value for value in choices["pieces"] if _rank(value, ()) == _rank(old["pieces"], ()) + sign * amount]
        wanted.more.pop("pieces", None)
        if exact:
            wanted.values["pieces"] = exact


def _option_of(word: str, around: str, choices: Mapping[str, Sequence[str]]) -> str | None:
    """Return the option that a comparison speaks of: the one that is named beside it, else the one that the word implies."""
    said = set(keys(around))
    labelled = [name for name in choices if ({*keys(name)} - {"level", "type"}) & said and _ordered(choices[name])]
    if word in {"more", "less", "most", "least"}:
        word = re.sub(rf"(?is)^.*?\b{word}\s+", "", around).split(" ")[0].lower()
    for stem, names in _MEANS.items():
        if word.startswith(stem):
            implied = [name for name in names if name in choices and _ordered(choices[name])]
            return next((name for name in implied if name in labelled), implied[0] if implied else None)
    return labelled[0] if labelled else None


def _ordered(values: Sequence[str]) -> bool:
    return len({_rank(value, values) for value in values}) == len(values)


def _rank(value: str, values: Sequence[str]) -> float:
    """Return where a value stands among its kind: by a scale that people know, else by its number."""
    low = value.lower()
    for scale in _SCALES:
        if low in scale and all(other.lower() in scale for other in values):
            return float(scale.index(low))
    number = re.search(r"\d+(?:\.\d+)?", low)
    if number is None:
        return 0.0
    unit = key_of(re.sub(r"[^a-z]", " ", low[number.end() :]).strip().split(" ")[0]) if low[number.end() :] else ""
    return float(number[0]) * _UNITS.get(unit, 1.0)


def _set_free(text: str, choices: Mapping[str, Sequence[str]], wanted: Wanted) -> None:
    for match in _FREE.finditer(text):
        rest = re.split(r"[.;!?]|\bbut\b", text[match.end() :])[0]
        said = set(keys(rest))
        named = {name for name in choices if set(keys(name)) & said}
        wanted.free |= named
        if not named:
            wanted.all_free = True
        for name in named & set(wanted.values):
            if set(wanted.values[name]) <= {"yes", "no", "none"}:
                del wanted.values[name]


def choose(
    kinds: Sequence[Variant], old_item: str, old: Mapping[str, str], wanted: Wanted
) -> tuple[list[Variant], bool]:
    """Return the available kinds that fit, and whether the first of them is surely meant.

    What was not spoken of stays as it is; when no such kind is available, the nearest ones come back to choose from.
    """
    fitting = [
        kind for kind in kinds if kind.available and kind.item_id != old_item and _fits(kind, old, wanted, kinds)
    ]
    for name, way in wanted.more.items():
        if abs(way) == 2 and fitting:
            values = [kind.options[name] for kind in kinds if name in kind.options]
            best = max(_rank(kind.options[name], values) * way for kind in fitting)
            fitting = [kind for kind in fitting if _rank(kind.options[name], values) * way == best]
    if wanted.price:
        fitting = sorted(fitting, key=lambda kind: kind.price.minor_units * -wanted.price)
        return fitting, bool(fitting)
    spoken = set(wanted.values) | set(wanted.more) | wanted.free
    kept = [name for name in old if name not in spoken]
    same = [kind for kind in fitting if all(kind.options.get(name) == old[name] for name in kept)]
    if same and not wanted.empty and not wanted.all_free:
        best_value = min(_preference(kind, wanted) for kind in same)
        first = [kind for kind in same if _preference(kind, wanted) == best_value]
        if len(first) > 1 and wanted.free:  # what does not matter stays as it is where that can be
            still = [kind for kind in first if all(kind.options.get(name) == old.get(name) for name in wanted.free)]
            first = still or first
        if len(first) > 1 and all(abs(way) == 1 for way in wanted.more.values()) and wanted.more:
            return first, False
        return first, len(first) == 1
    near = sorted(
        fitting,
        key=lambda k: (_preference(k, wanted), sum(k.options.get(n) != old[n] for n in kept), k.price.minor_units),
    )
    return near, len(near) == 1 and wanted.all_free


def _fits(kind: Variant, old: Mapping[str, str], wanted: Wanted, kinds: Sequence[Variant]) -> bool:
    for name, values in wanted.values.items():
        if kind.options.get(name) not in values:
            return False
    for name, excluded in wanted.excluded.items():
        if name not in wanted.values and kind.options.get(name) in excluded:
            return False
    for name, way in wanted.more.items():
        values = [other.options[name] for other in kinds if name in other.options]
        if abs(way) == 1 and name in old and (_rank(kind.options[name], values) - _rank(old[name], values)) * way <= 0:
            return False
    return True


def _preference(kind: Variant, wanted: Wanted) -> int:
    return sum(
        values.index(kind.options[name]) for name, values in wanted.values.items() if kind.options.get(name) in values
    )


def described(options: Mapping[str, str]) -> str:
    """Return options as a shopper reads them; a value that says nothing alone has its option's name beside it."""
    return ", ".join(
        f"{name} {value}"
        if len(value) < 3 or value.isdigit() or value in {"none", "yes", "no", "high", "low", "medium", "full", "half"}
        else value
        for name, value in options.items()
    )
