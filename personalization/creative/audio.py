"""A film's sound: a track is read with care, cut on a bar, faded, and brought to one loudness."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler

from personalization.creative.errors import CreativeError
from personalization.creative.loudness import RATE, Samples, integrated, normalised

LARGEST_BYTES = 40_000_000
LONGEST_S, SHORTEST_S = 900.0, 2.0
FADE_IN_S, FADE_OUT_S = 0.03, 0.9
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"RIFF", "wav"), (0, b"OggS", "ogg"), (0, b"fLaC", "flac"), (0, b"ID3", "mp3"), (4, b"ftyp", "mov"),
    *((0, bytes([0xFF, second]), "mp3") for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Track:
    """Stereo sound, (2, n) at 48 kHz. `digest` names what it was read from, `licence` is what its owner declared.

    `beats` are known times in seconds for a track that was made here; empty: they are to be found.
    """

    samples: Samples = field(repr=False)
    digest: str
    licence: str = ""
    beats: tuple[float, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it is."""
        return float(self.samples.shape[1] / RATE)


def read_track(content: bytes, *, licence: str = "") -> Track:
    """Return the sound of a WAV, OGG, MP3, FLAC or M4A file; CreativeError when there is none to use, saying what to do."""
    if not content:
        raise CreativeError("bad-track", "The track is empty; send a WAV, OGG, MP3, FLAC or M4A file.")
    if len(content) > LARGEST_BYTES:
        raise CreativeError(
            "track-too-large",
            f"The track has {len(content) / 1e6:.0f} MB; up to {LARGEST_BYTES / 1e6:.0f} MB are taken.",
        )
    # the format is told by its first bytes and by nothing else: a play list would make the reader fetch what it names
    kind = next((name for at, magic, name in _KINDS if content[at : at + len(magic)] == magic), None)
    if kind is None:
        raise CreativeError("bad-track", "This is no track that can be read; send a WAV, OGG, MP3, FLAC or M4A file.")
    try:
        samples = _decoded(content, kind)
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise CreativeError(
            "bad-track", f"The track is broken ({error}); export it again, or send another one."
        ) from error
    if samples.shape[1] < SHORTEST_S * RATE:
        raise CreativeError(
            "track-too-short",
            f"The track has {samples.shape[1] / RATE:.1f} s of sound; {SHORTEST_S:.0f} s are the least.",
        )
    if not np.isfinite(integrated(samples)):
        raise CreativeError(
            "silent-track", "The track is silent; send one that can be heard, or none to have one made."
        )
    return Track(samples, hashlib.sha256(content).hexdigest(), licence)


def _decoded(content: bytes, kind: str) -> Samples:
    parts: list[Samples] = []
    held = 0
    opened: Any = av.open(io.BytesIO(content), format=kind)
    with opened as container:
        resampler: Any = AudioResampler("fltp", "stereo", RATE)
        for frame in container.decode(audio=0):
            for one in resampler.resample(frame):
                parts.append(one.to_ndarray())
                held += parts[-1].shape[1]
            if held > LONGEST_S * RATE:
                raise CreativeError(
                    "track-too-long",
                    f"The track is longer than {LONGEST_S / 60:.0f} minutes; send the part that is meant.",
                )
        parts += [one.to_ndarray() for one in resampler.resample(None)]
    if not parts:
        raise ValueError("no sound in it")
    found = np.concatenate(parts, axis=1).astype(np.float32)
    if not np.isfinite(found).all():
        raise ValueError("it holds numbers that are none")
    return np.clip(found, -1, 1)


def cut(track: Track, start: float, seconds: float) -> Samples:
    """Return a part of the track with fades at both ends, at −16 LUFS; it must lie within the track."""
    first = round(start * RATE)
    part = track.samples[:, first : first + round(seconds * RATE)].copy()
    fade_in, fade_out = round(FADE_IN_S * RATE), min(round(FADE_OUT_S * RATE), part.shape[1] // 2)
    part[:, :fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32)
    part = normalised(part)
    part[:, part.shape[1] - fade_out :] *= np.cos(np.linspace(0, np.pi / 2, fade_out, dtype=np.float32)) ** 2
    return part


def looped(track: Track, seconds: float, bar: float) -> Track:
    """Return the track, again and again from its last whole bar, until it is long enough; itself where it is."""
    if track.seconds >= seconds:
        return track
    whole = round(max(int(track.seconds / bar), 1) * bar * RATE)
    whole = min(whole, track.samples.shape[1])
    times = int(np.ceil(seconds * RATE / whole)) + 1
    again = np.tile(track.samples[:, :whole], (1, times))
    length = whole / RATE
    beats = tuple(beat + k * length for k in range(times) for beat in track.beats if beat < length - 1e-3)
    return Track(again, f"{track.digest}x{times}", track.licence, beats)
