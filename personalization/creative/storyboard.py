"""What a film shows, shot after shot: product, name, price or offer, and the end card with name, call to action and brand.

Every shot is a poster of its own, a neighbour of the film's spec with the same colours and type, so that composition varies and all rules of posters hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from personalization.creative.audio import Track, looped
from personalization.creative.beats import Beats
from personalization.creative.constraints import violations
from personalization.creative.errors import CreativeError
from personalization.creative.motion import LEAVE_S, WAIT_S, readable
from personalization.creative.poster import Material, Poster, compose
from personalization.creative.space import CreativeSpec, Inputs, Space
from personalization.creative.timeline import LONGEST_S, SHORTEST_S, Timeline, reading_s, timeline
from personalization.creative.words import Message

READ = ("kicker", "headline", "line", "price", "was", "big_price", "action")
_LAYOUTS: dict[str, tuple[str, ...]] = {
    "hook": ("arc", "panel", "hero_top", "centred", "card"),
    "name": ("big_word", "hero_top", "diagonal", "panel", "card"),
    "line": ("card", "hero_bottom", "ribbon", "arc"),
    "offer": ("big_price",),
    "end": ("hero_bottom", "centred"),
}
_OF_GEOMETRY = frozenset({"safe-area", "no-overlap", "clear-space", "colours"})
_SHOTS = {"sparse": 3, "bars": 4, "every_second": 4, "syncopated": 4, "build": 5, "every_beat": 5}
_WEIGHTS = {"hook": 0.9, "name": 1.0, "line": 1.0, "offer": 1.0, "end": 1.25}


@dataclass(frozen=True, slots=True)
class Shot:
    """A poster with the part that it plays in the film."""

    part: str
    poster: Poster

    @property
    def texts(self) -> list[str]:
        """What is to be read, without small print."""
        return [layer.text for layer in self.poster.layers if layer.text and layer.role in READ]


@dataclass(frozen=True, slots=True)
class Storyboard:
    """Shots and when they are shown; `track` is what they are cut to, long enough."""

    spec: CreativeSpec
    shots: tuple[Shot, ...]
    time: Timeline
    track: Track


def storyboard(spec: CreativeSpec, of: Material, track: Track, beats: Beats, seconds: float) -> Storyboard:
    """Return a film's shots, cut to a track; as many as its rhythm wants and can be read in the time, else fewer, else a longer film.

    Raises CreativeError when it would take more than 15 s, or no layout holds a shot's words.
    """
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise CreativeError("bad-length", f"A film has {SHORTEST_S:.0f} to {LONGEST_S:.0f} s, not {seconds:g}.")
    made: dict[str, Shot] = {}
    for part in _parts(of):
        shot = _shot(part, spec, of, {one.poster.spec["layout"] for one in made.values()})
        if shot is not None:
            made[part] = shot
    if "end" not in made:
        raise CreativeError("no-design", "No end card holds these words; a shorter name helps.")
    boards = _boards(list(made), _SHOTS.get(spec["rhythm"], 4))
    for length in (seconds, *(float(longer) for longer in range(int(seconds) + 1, int(LONGEST_S) + 1))):
        for parts in boards:
            shots = [made[part] for part in parts]
            needs, weights = (
                _needs(shots, spec),
                [_weight(part, place, len(parts), spec) for place, part in enumerate(parts)],
            )
            found = timeline(track, beats, needs, weights, spec["rhythm"], length)
            if found is not None:
                return Storyboard(spec, tuple(shots), found, track)
    raise CreativeError(
        "too-much-to-read", f"In {LONGEST_S:.0f} s this cannot be read; a shorter name or a text without a line helps."
    )


def long_enough(track: Track, beats: Beats, seconds: float) -> tuple[Track, Beats]:
    """Return the track and its beats, repeated from its last whole bar where it is shorter than the film."""
    wanted = min(seconds + 4, LONGEST_S + 4)
    if beats.times[-1] - beats.times[0] >= seconds + 1 and track.seconds >= wanted:
        return track, beats
    bar = 4 * 60 / beats.tempo
    again = looped(track, wanted + LONGEST_S, bar)
    if again is track:
        return track, beats
    length = max(int(track.seconds / bar), 1) * bar
    once = [time for time in beats.times if time < length - 0.05]
    times = [time + k * length for k in range(int(again.seconds / length)) for time in once]
    strength = [one for _ in range(int(again.seconds / length)) for one in beats.strength[: len(once)]]
    return again, replace(beats, times=tuple(times), strength=tuple(strength))


def _parts(of: Material) -> list[str]:
    """Return what there is to show; what a text says of prices, the offer says larger."""
    said, facts = of.message, of.facts
    amounts = [one for one in (facts.price, facts.was, facts.percent) if one] if facts.price else []
    there = {
        "hook": bool(said.kicker) and not any(one in said.kicker for one in amounts),
        "name": True,
        "line": bool(said.line) and not any(one in said.line for one in amounts),
        "offer": bool(facts.price),
        "end": True,
    }
    return [part for part, shown in there.items() if shown]


def _boards(parts: list[str], most: int) -> list[tuple[str, ...]]:
    """Return selections of the parts in order, from the richest to three shots (two where there are no more)."""
    orders = [
        tuple(part for part in parts if part not in left_out)
        for left_out in (
            (),
            ("line",),
            ("hook",),
            ("line", "hook"),
            ("name", "line"),
            ("hook", "offer"),
            ("name", "line", "offer"),
        )
    ]
    fitting = [order for order in dict.fromkeys(orders) if min(3, len(parts)) <= len(order) <= most]
    return sorted(fitting, key=len, reverse=True) or [tuple(parts)]


def _needs(shots: list[Shot], spec: CreativeSpec) -> list[float]:
    moving = [readable(spec["easing"], len(shot.texts)) + WAIT_S + LEAVE_S for shot in shots]
    needs: list[float] = []
    read = {layer.text for layer in shots[0].poster.layers if layer.role == "logo"}
    for shot, moved in zip(shots, moving, strict=True):
        # what was read in an earlier shot is known again at a glance
        needs.append(reading_s([text for text in shot.texts if text not in read]) + moved)
        read |= set(shot.texts)
    small = {
        place: layer.text for place, shot in enumerate(shots) for layer in shot.poster.layers if layer.role == "legal"
    }
    if small:  # the small print stands in some shots, and is read in all of them together
        short = max(reading_s([text]) for text in small.values()) - sum(needs[place] for place in small)
        needs[max(small)] += max(short, 0.0)
    return needs


def _weight(part: str, place: int, count: int, spec: CreativeSpec) -> float:
    if spec["rhythm"] == "build" and part != "end":
        return 1.35 - 0.5 * place / max(count - 1, 1)
    return _WEIGHTS[part]


def _shot(part: str, spec: CreativeSpec, of: Material, used: set[str]) -> Shot | None:
    """Return the first of the part's layouts that keeps all rules, beginning at one that the seed takes; those `used` come last."""
    shown = _material(part, of)
    space = Space(Inputs(of.picture.kind, 2, (spec["message"],), bool(shown.facts.price), False, True))
    layouts = _LAYOUTS[part]
    turn = spec.seed % len(layouts)
    for layout in sorted((*layouts[turn:], *layouts[:turn]), key=used.__contains__):
        for scale in ("loud", "regular") if part == "line" else ("huge", "loud", "regular"):
            near = _near(part, spec, layout, scale, priced=bool(shown.facts.price))
            if space.broken_by(near) is not None:
                continue
            poster = compose(near, shown)
            if not poster.dropped and not any(one.constraint in _OF_GEOMETRY for one in violations(poster, shown)):
                return Shot(part, _end_card(poster, of) if part == "end" else poster)
    return None


def _near(part: str, spec: CreativeSpec, layout: str, scale: str, *, priced: bool) -> CreativeSpec:
    told = dict(spec.choices) | {
        "layout": layout,
        "scale": scale,
        "price": "pill" if priced and part != "offer" else "plain",
    }
    told["align"] = (
        "centre"
        if layout in {"centred", "framed", "ribbon"}
        else "start"
        if layout in {"big_word", "diagonal"}
        else spec["align"]
    )
    if layout == "big_word" or (part in {"name", "offer"} and spec["focal"] in {"pattern", "plinth", "spotlight"}):
        told["focal"] = "plain"
    if part == "hook" and told["focal"] not in {"pattern"}:
        told["crop"] = "close"
    if told["focal"] in {"plinth", "pattern"} and told["crop"] not in {"whole", "close"}:
        told["crop"] = "whole"
    if layout in {"diagonal", "ribbon", "arc"} and told["texture"] in {"lines", "rays", "waves"}:
        told["texture"] = "none"
    return CreativeSpec(told, spec.version)


def _material(part: str, of: Material) -> Material:
    """Return what a shot says. What names a price keeps the facts of it, and with them the small print."""
    said, facts = of.message, of.facts
    texts = {
        "hook": Message("", said.kicker, "", "", said.goal, said.tone),
        "name": Message("", said.headline, "", "", said.goal, said.tone),
        "line": Message("", said.line, "", "", said.goal, said.tone),
        "offer": Message("", facts.name, "", "", said.goal, said.tone),
        "end": Message(
            *((facts.name, of.brand.retailer) if of.brand.logo is None else ("", facts.name)),
            "",
            said.action,
            said.goal,
            said.tone,
        ),
    }
    text = texts[part]
    amounts = [one for one in (facts.price, facts.was, facts.saving, facts.percent) if one]
    if part in {"hook", "name", "line"} and not any(one in text.headline for one in amounts):
        facts = replace(facts, price="", was="", saving="", percent="")
    return replace(of, facts=facts, message=text)


def _end_card(poster: Poster, of: Material) -> Poster:
    """Leave out the small wordmark where the brand's name is the headline."""
    if of.brand.logo is not None:
        return poster
    return replace(poster, layers=tuple(layer for layer in poster.layers if layer.role != "logo"))
