"""Features of users and videos: KuaiRand-Pure's real ones (Gao et al. 2022), or made ones of the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHORTEST, LONGEST = 3.0, 300.0  # seconds; what is shorter or longer counts as this
USERS, VIDEOS = "user_features_pure.csv", "video_features_basic_pure.csv"
USER_NUMBERS = ("follow_user_num", "fans_user_num", "friend_user_num", "register_days")
USER_CODES = (
    "user_active_degree", "is_live_streamer", "is_video_author", *(f"onehot_feat{n}" for n in (0, 1, 2, 4, 6, *range(9, 18))),
)  # fmt: skip
VIDEO_NUMBERS = ("server_width", "server_height")
VIDEO_CODES = ("video_type", "upload_type", "upload_dt", "music_type", "tag")
MADE_USER_LEVELS = (8, 2, 2, 2, 7, 50, 15, 3, 7, 5, 5, 2, 2)
MADE_VIDEO_LEVELS = (2, 12, 3, 5, 60)


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of n users or n videos. numbers : (n, p) not negative; codes : (n, c) numbered from 0."""

    numbers: Floats
    codes: Ints

    def projected(self, width: int, rng: np.random.Generator) -> Floats:
        """Return (n, width): a random projection of standardised numbers and one-hot codes, standardised by column."""
        numbers = _standardised(np.log1p(self.numbers))
        found = numbers @ rng.standard_normal((numbers.shape[1], width))
        for column in self.codes.T:
            found += rng.standard_normal((int(column.max()) + 1, width))[column]
        return _standardised(found)


@dataclass(frozen=True, slots=True)
class Both:
    """Users, videos and each video's duration in seconds, (videos,), within SHORTEST and LONGEST."""

    users: Features
    videos: Features
    duration: Floats


def read(folder: Path) -> Both:
    """Return the features in KuaiRand-Pure's two files; a video without a duration gets the median one.

    Raises FileNotFoundError where a file is missing.
    """
    users = pl.read_csv(folder / USERS, infer_schema_length=None)
    videos = pl.read_csv(folder / VIDEOS, infer_schema_length=None)
    videos = videos.with_columns(pl.col("tag").cast(pl.String).str.split(",").list.first())
    duration = (videos["video_duration"].cast(pl.Float64) / 1000.0).to_numpy()
    duration = np.where(np.isnan(duration), np.nanmedian(duration), duration)
    return Both(
        _features(users, USER_NUMBERS, USER_CODES),
        _features(videos, VIDEO_NUMBERS, VIDEO_CODES),
        np.clip(duration, SHORTEST, LONGEST),
    )


def made(users: int, videos: int, rng: np.random.Generator) -> Both:
    """Return invented features that need no file: skewed counts, skewed codes, durations of a median of 80 seconds."""
    counts = np.exp(rng.normal((5.0, 3.9, 2.8, 6.9), (1.5, 2.0, 1.8, 0.7), (users, 4)))
    sides = rng.choice((540.0, 720.0, 1080.0, 1280.0), (videos, 2))
    duration = np.clip(80.0 * np.exp(rng.normal(0.0, 1.0, videos)), SHORTEST, LONGEST)
    return Both(
        Features(counts, _codes(users, MADE_USER_LEVELS, rng)),
        Features(sides, _codes(videos, MADE_VIDEO_LEVELS, rng)),
        duration,
    )


def _features(frame: pl.DataFrame, numbers: tuple[str, ...], codes: tuple[str, ...]) -> Features:
    levels = [np.unique(frame[name].cast(pl.String).fill_null("").to_numpy(), return_inverse=True)[1] for name in codes]
    found = frame.select(pl.col(name).cast(pl.Float64).fill_null(0.0) for name in numbers).to_numpy()
    return Features(np.maximum(found, 0.0), np.stack(levels, axis=1).astype(np.int64))


def _codes(n: int, levels: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """Return (n, len(levels)) codes, the first ones of each the most frequent."""
    columns = [np.floor(count * rng.random(n) ** 2).astype(np.int64) for count in levels]
    return np.stack(columns, axis=1)


def _standardised(values: Floats) -> Floats:
    return (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
