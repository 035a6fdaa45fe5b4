"""Beats, bars and accents of a track, kept by the track's SHA-256: the same track is listened to once.

Beats are librosa's (Ellis 2007: dynamic programming over onset strength); where nothing pulses, an even grid stands in.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from personalization.creative.audio import Track
from personalization.creative.loudness import RATE

VERSION = "1"
LISTENED_S = 180.0
FALLBACK_BPM = 108.0
CLEAR = 0.15
"""Least autocorrelation of onset strength one beat later, of that at once: noise and drones stay under 0.1, pop and dance come to 0.3 and more."""
LIVELY = 0.1
"""Least spread of onset strength (dB): a held tone stays under 0.02."""
_RATE, _HOP, _FINE = 24_000, 256, 64
_BAR = 4


@dataclass(frozen=True, slots=True)
class Beats:
    """Times of beats in seconds, how strong each is (0 to 1), the place of the first one that begins a bar, and whether the track really pulses."""

    times: tuple[float, ...]
    strength: tuple[float, ...]
    first_of_bar: int
    tempo: float
    clear: bool

    def is_downbeat(self, place: int) -> bool:
        """Whether a bar of four begins with this beat."""
        return place % _BAR == self.first_of_bar


_kept: dict[str, Beats] = {}


def beats_of(track: Track, kept_in: Path | None = None) -> Beats:
    """Return a track's beats, from the folder `kept_in` where they were found before."""
    if track.beats:
        count = len(track.beats)
        tempo = 60 / float(np.diff(track.beats).mean())
        return Beats(track.beats, tuple(1.0 if k % _BAR == 0 else 0.6 for k in range(count)), 0, tempo, True)
    if track.digest in _kept:
        return _kept[track.digest]
    path = None if kept_in is None else kept_in / f"beats-{VERSION}-{track.digest}.json"
    found = _stored(path) or _found(track)
    if len(_kept) > 256:
        _kept.clear()
    _kept[track.digest] = found
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(found)))
        fresh.replace(path)
    return found


def forget() -> None:
    """Forget what this process has heard."""
    _kept.clear()


def _stored(path: Path | None) -> Beats | None:
    if path is None:
        return None
    try:
        told: dict[str, Any] = json.loads(path.read_text())
        return Beats(tuple(told["times"]), tuple(told["strength"]), told["first_of_bar"], told["tempo"], told["clear"])
    except (OSError, ValueError, KeyError):
        return None


def _found(track: Track) -> Beats:
    import librosa  # noqa: PLC0415  it takes seconds, and a made track needs none of it

    mono = signal.resample_poly(track.samples[:, : round(LISTENED_S * RATE)].mean(0), 1, RATE // _RATE).astype(
        np.float32
    )
    onsets = librosa.onset.onset_strength(y=mono, sr=_RATE, hop_length=_HOP)
    tempo, frames = librosa.beat.beat_track(onset_envelope=onsets, sr=_RATE, hop_length=_HOP, trim=False)
    tempo = float(np.atleast_1d(tempo)[0])
    if len(frames) < 2 * _BAR or not _pulses(onsets, frames):
        return _grid(track, onsets)
    times = _on_attacks(_evened(frames * (_HOP / _RATE)), mono)
    strength = onsets[np.minimum(frames, len(onsets) - 1)]
    low = signal.sosfiltfilt(signal.butter(4, 150, "lowpass", fs=_RATE, output="sos"), mono)
    kick = np.maximum(np.diff(np.sqrt(np.convolve(low**2, np.ones(_HOP) / _HOP, "same"))[::_HOP], prepend=0), 0)
    weight = np.array([kick[max(frame - 2, 0) : frame + 3].max(initial=0) for frame in frames]) / max(kick.max(), 1e-9)
    weight = weight + 0.5 * strength / max(strength.max(), 1e-9)
    phase = int(np.argmax([weight[k::_BAR].mean() for k in range(_BAR)]))
    return Beats(
        tuple(float(round(time, 4)) for time in times), tuple(float(round(one, 3)) for one in strength / max(strength.max(), 1e-9)), phase, tempo, True
    )  # fmt: skip


def _pulses(onsets: NDArray[Any], frames: NDArray[Any]) -> bool:
    """Whether onsets repeat one beat later, and beats come evenly."""
    apart = np.diff(frames)
    lag = round(float(np.median(apart)))
    centred = onsets - onsets.mean()
    power = float((centred**2).sum())
    if centred.std() < LIVELY or lag < 1:
        return False
    again = max(float((centred[near:] * centred[:-near]).sum()) / power for near in (lag - 1, lag, lag + 1) if near > 0)
    return again > CLEAR and float(np.std(apart) / np.mean(apart)) < 0.2


def _evened(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return beat times without the jitter of the analysis' frames (11 ms), while a tempo that wanders is followed."""
    if len(times) < 9:
        return times
    place = np.arange(len(times))
    slope, start, *_ = stats.theilslopes(times, place)  # beats that were heard beside the pulse do not bend it
    kept = np.abs(start + slope * place - times) < 0.03
    if kept.sum() < 0.7 * len(times):
        return np.asarray(signal.savgol_filter(times, 9, 1, mode="interp"))
    return np.asarray(np.polyval(np.polyfit(place[kept], times[kept], 1), place))


def _on_attacks(times: NDArray[np.float64], mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the times moved together by up to 50 ms to where the sound really rises: frames of a spectrum are longer than an attack."""
    blocks = mono[: len(mono) // _FINE * _FINE].reshape(-1, _FINE)
    rise = np.maximum(np.diff(np.sqrt((blocks.astype(np.float64) ** 2).mean(1)), prepend=0), 0)
    rise = np.convolve(rise, np.ones(3) / 3, "same")
    reach = round(0.05 * _RATE / _FINE)
    at = np.round(times * _RATE / _FINE).astype(int)
    at = at[(at >= reach) & (at < len(rise) - reach)]
    if not len(at):
        return times
    gains = [rise[at + shift].sum() for shift in range(-reach, reach + 1)]
    return np.maximum(times + (int(np.argmax(gains)) - reach) * _FINE / _RATE, 0)


def _grid(track: Track, onsets: NDArray[Any]) -> Beats:
    """Return an even grid from the first strong onset: cuts are then at least regular."""
    loud = np.flatnonzero(onsets > 0.5 * max(float(onsets.max()), 1e-9))
    period = 60 / FALLBACK_BPM
    start = float(loud[0] * _HOP / _RATE) % period if len(loud) else 0.0
    times = np.arange(start, track.seconds, period)
    return Beats(tuple(float(round(time, 4)) for time in times), (0.5,) * len(times), 0, FALLBACK_BPM, False)
