"""When things happen in a film: it begins on a bar of its track, is cut on beats, and has its accents where the rhythm wants them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from personalization.creative.audio import Track
from personalization.creative.beats import Beats
from personalization.creative.loudness import RATE

FPS = 30
SHORTEST_S, LONGEST_S = 6.0, 15.0
WORD_S, LOOK_S = 0.3, 0.8
"""What reading takes: per word, and to find the text."""
LEAST_APART_S = 0.34
"""Least time between accents: never three in a second (WCAG 2.2, 2.3.1), though none of them flashes."""
_STRIDES = {"still": 4, "every_beat": 1, "every_second": 2, "bars": 4, "build": 1, "syncopated": 2, "sparse": 4}


@dataclass(frozen=True, slots=True)
class Timeline:
    """Times in seconds from the film's first frame. `start` is where the track begins, `cuts` are where shots begin, the first at 0.

    `accents` are (second, strength up to 1).
    """

    start: float
    seconds: float
    cuts: tuple[float, ...]
    beats: tuple[float, ...]
    accents: tuple[tuple[float, float], ...]

    @property
    def frames(self) -> int:
        """How many frames the film has."""
        return round(self.seconds * FPS)

    def first_frame(self, shot: int) -> int:
        """Return the frame with which a shot begins; one past the last for the shot after the last."""
        return round(self.cuts[shot] * FPS) if shot < len(self.cuts) else self.frames


def timeline(
    track: Track, beats: Beats, needs: Sequence[float], weights: Sequence[float], rhythm: str, seconds: float
) -> Timeline | None:
    """Return when shots with these least lengths follow each other in a film of about `seconds`; None when that is too short for them.

    Cuts lie on the beats that the rhythm takes, or on any where those are too far apart; lengths come as near to the weights as beats let them.
    """
    first = _start(track, beats, seconds)
    times = np.array(beats.times)[first:] - beats.times[first]
    last = _end(times, beats, first, seconds)
    if last is None:
        return None
    times = times[: last + 1]
    ideal = times[-1] * np.array(weights) / sum(weights)
    for stride in sorted({_STRIDES[rhythm], 2, 1}, reverse=True):
        if stride <= _STRIDES[rhythm] and (
            places := _placed(tuple(times.tolist()), tuple(needs), tuple(ideal.tolist()), stride)
        ):
            cuts = tuple(float(times[place]) for place in places)
            accents = _accents(times, beats, first, cuts, rhythm)
            return Timeline(beats.times[first], float(times[-1]), cuts, tuple(map(float, times)), accents)
    return None


def _start(track: Track, beats: Beats, seconds: float) -> int:
    """Return the beat to begin with: of all bars that leave room, the one where the music is loudest, which skips a quiet beginning."""
    ends = min(track.seconds, beats.times[-1])
    bars = [k for k in range(len(beats.times)) if beats.is_downbeat(k) and beats.times[k] + seconds <= ends + 1e-6]
    if not bars:
        return beats.first_of_bar if len(beats.times) > beats.first_of_bar + 1 else 0
    power = np.concatenate([[0.0], np.cumsum((track.samples.astype(np.float64) ** 2).mean(0))])
    loud = [
        power[min(round((beats.times[k] + seconds) * RATE), len(power) - 1)] - power[round(beats.times[k] * RATE)]
        for k in bars
    ]
    # the earliest of those that are nearly as loud as the loudest
    return next(k for k, one in zip(bars, loud, strict=True) if one >= 0.8 * max(loud))


def _end(times: np.ndarray, beats: Beats, first: int, seconds: float) -> int | None:
    """Return the beat to end on: near the wish, and where a bar ends if one does not have to wait long."""
    allowed = [k for k in range(len(times)) if SHORTEST_S <= times[k] <= LONGEST_S]
    if not allowed:
        return None
    return min(allowed, key=lambda k: abs(times[k] - seconds) + (0.0 if beats.is_downbeat(first + k) else 0.45))


@lru_cache(maxsize=128)
def _placed(
    times: tuple[float, ...], needs: tuple[float, ...], ideal: tuple[float, ...], stride: int
) -> tuple[int, ...] | None:
    """Return the beats where shots begin, by dynamic programming over (shot, beat); None when the needs do not fit."""
    count, last = len(needs), len(times) - 1
    places = list(range(0, last, stride))
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (0.0, (0,))}
    for shot in range(count):
        ends = places if shot < count - 1 else [last]
        following: dict[int, tuple[float, tuple[int, ...]]] = {}
        for begin, (cost, taken) in best.items():
            for end in ends:
                length = times[end] - times[begin]
                if end <= begin or length < needs[shot] - 1e-6:
                    continue
                total = cost + (length - ideal[shot]) ** 2
                if end not in following or total < following[end][0]:
                    following[end] = (total, (*taken, end))
        best = following
    return best[last][1][:-1] if last in best else None


def _accents(
    times: np.ndarray, beats: Beats, first: int, cuts: Sequence[float], rhythm: str
) -> tuple[tuple[float, float], ...]:
    wanted: dict[float, float] = {}
    for k, time in enumerate(map(float, times[:-1])):
        strong = 0.55 + 0.45 * beats.strength[min(first + k, len(beats.strength) - 1)]
        match rhythm:
            case "every_beat":
                wanted[time] = strong * (1.0 if k % 2 == 0 else 0.7)
            case "every_second" if k % 2 == 0:
                wanted[time] = strong
            case "bars" if k % 4 == 0:
                wanted[time] = 1.0
            case "build":
                wanted[time] = strong * (0.35 + 0.65 * time / float(times[-1]))
            case "syncopated" if k % 2 == 1:
                wanted[(time + float(times[k + 1])) / 2] = 0.8
    wanted |= dict.fromkeys(cuts, 1.0)
    kept: list[tuple[float, float]] = []
    for time in sorted(wanted, key=lambda one: (one not in cuts, one)):
        if all(abs(time - other) >= LEAST_APART_S for other, _ in kept):
            kept.append((time, wanted[time]))
    return tuple(sorted(kept))


def reading_s(texts: Sequence[str]) -> float:
    """Return how long texts must stand to be read, in seconds."""
    return LOOK_S + WORD_S * sum(len(text.split()) for text in texts)
