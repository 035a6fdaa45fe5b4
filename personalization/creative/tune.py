"""A track for those who have none: kit, bass and chords, made from a seed, free of anybody's rights."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from personalization.creative.audio import Track
from personalization.creative.loudness import RATE

Mono = NDArray[np.float64]
VERSION = "1"
TEMPI = (100, 104, 108, 112, 116, 120)
BARS = 9
_PROGRESSIONS = ((0, 7, 9, 5), (0, 9, 5, 7), (9, 5, 0, 7), (0, 5, 9, 7))
"""Roots of four bars in semitones above the key: I V vi IV and its relatives."""
_MINOR = frozenset({9, 2, 4})


@lru_cache(maxsize=8)
def tune(seed: int = 0) -> Track:
    """Return about 20 s of music with known beats; the same seed, the same samples."""
    rng = np.random.default_rng([seed, 77])
    tempo, key = int(rng.choice(TEMPI)), int(rng.integers(-3, 4))
    roots = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    beat = 60 / tempo
    count = round(BARS * 4 * beat * RATE)
    left, right = np.zeros(count + RATE), np.zeros(count + RATE)
    kick, clap, hat = _kick(), _clap(rng), _hat(rng)
    off_beat = rng.random() < 0.5
    for step in range(BARS * 8):  # eighths
        at = step * beat / 2
        if step % 8 in {0, 4} or (step % 8 == 7 and off_beat):
            _add(left, right, kick, at, 0.9 if step % 8 == 0 else 0.75)
        if step % 8 in {2, 6}:
            _add(left, right, clap, at, 0.34)
        _add(left, right, hat, at, 0.10 if step % 2 else 0.05, 0.25)
    for bar in range(BARS):
        root = roots[bar % 4]
        third = 3 if root in _MINOR else 4
        chord = [root, root + third, root + 7]
        base = 57 + key
        for step in (0, 3, 6):
            for number, note in enumerate(chord):
                pitch = base + note - (12 if note > 7 else 0)
                _add(left, right, _pluck(pitch, 1.7 * beat), bar * 4 * beat + step * beat / 2, 0.15, (number - 1) * 0.5)
        for step in (0, 2, 3, 5, 6):
            _add(
                left,
                right,
                _bass(33 + key + root - (12 if root > 5 else 0), 0.42 * beat),
                bar * 4 * beat + step * beat / 2,
                0.33,
            )
        melody = rng.choice([0, 7, 12, third, third + 12], size=4)
        for step, note in zip((1, 3, 4, 6), melody, strict=True):
            _add(
                left,
                right,
                _bell(69 + key + root % 12 - (12 if root > 6 else 0) + int(note) - 12, beat),
                bar * 4 * beat + step * beat / 2,
                0.07,
                0.3,
            )
    both = np.stack([left[:count], right[:count]])
    both = np.tanh(1.15 * both / np.abs(both).max()) * 0.7
    digest = hashlib.sha256(f"tune {VERSION} {seed}".encode()).hexdigest()
    beats = tuple(round(k * beat, 6) for k in range(BARS * 4))
    return Track(both.astype(np.float32), digest, "CC0-1.0, made by Aisle", beats)


def _add(left: Mono, right: Mono, sound: Mono, at: float, level: float, pan: float = 0.0) -> None:
    first = round(at * RATE)
    left[first : first + len(sound)] += level * (1 - max(pan, 0)) * sound[: len(left) - first]
    right[first : first + len(sound)] += level * (1 + min(pan, 0)) * sound[: len(right) - first]


def _time(seconds: float) -> Mono:
    return np.arange(round(seconds * RATE)) / RATE


def _soft_ends(sound: Mono) -> Mono:
    edge = min(240, len(sound) // 4)
    sound[:edge] *= np.linspace(0, 1, edge)
    sound[-edge:] *= np.linspace(1, 0, edge)
    return sound


def _kick() -> Mono:
    t = _time(0.32)
    return np.asarray(np.sin(2 * np.pi * (48 * t + 3.4 * (1 - np.exp(-t * 38)))) * np.exp(-t * 11))


def _clap(rng: np.random.Generator) -> Mono:
    t = _time(0.2)
    noise = signal.sosfilt(signal.butter(2, (900, 5200), "bandpass", fs=RATE, output="sos"), rng.normal(0, 1, len(t)))
    return np.asarray(noise * (np.exp(-t * 26) + 0.6 * np.exp(-np.abs(t - 0.012) * 320)))


def _hat(rng: np.random.Generator) -> Mono:
    t = _time(0.07)
    return np.asarray(
        signal.sosfilt(signal.butter(4, 7000, "highpass", fs=RATE, output="sos"), rng.normal(0, 1, len(t)))
        * np.exp(-t * 70)
    )


def _pitch(note: float) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _pluck(note: float, seconds: float) -> Mono:
    t, pitch = _time(seconds), _pitch(note)
    voice = sum(np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * (2.2 + 1.6 * k)) / k for k in (1, 2, 3, 4))
    return _soft_ends(np.asarray(voice))


def _bass(note: float, seconds: float) -> Mono:
    t, pitch = _time(seconds), _pitch(note)
    return _soft_ends(
        np.asarray(
            (
                np.sin(2 * np.pi * pitch * t)
                + 0.35 * np.sin(4 * np.pi * pitch * t)
                + 0.12 * np.sin(6 * np.pi * pitch * t)
            )
            * np.exp(-t * 3)
        )
    )


def _bell(note: float, seconds: float) -> Mono:
    t, pitch = _time(seconds), _pitch(note)
    return _soft_ends(
        np.asarray(
            np.sin(2 * np.pi * pitch * t + 1.1 * np.sin(2 * np.pi * 3 * pitch * t) * np.exp(-t * 9)) * np.exp(-t * 5)
        )
    )
