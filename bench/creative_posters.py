"""The posters' part of `aisle bench creative`: the size of the space, rules kept by random specs, likeness of samples, speed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import skia
from numpy.typing import NDArray

from bench.report import Metric, percentile_with_ci, progress
from personalization.creative import render
from personalization.creative.brand import BrandKit
from personalization.creative.constraints import contrast_violations, violations
from personalization.creative.picture import drawing
from personalization.creative.poster import Material, compose
from personalization.creative.space import CreativeSpec, Inputs, Space
from personalization.creative.studio import inputs_of
from personalization.creative.words import Facts, by_key, messages

SEED = 7
BRAND = BrandKit("Corner Market", 155, legal="While stocks last. Prices include tax.")
COVER = Facts("Strawberries", "$3.49", was="$4.99", percent="30%", category="Berries", stock=True, food=True)
THUMBNAIL = 0.15
"""Size of a thumbnail: 162 by 203 pixels of a 1080 by 1350 poster."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found in some random specs.

    `broken` break a rule; of `measured` the pixels were looked at, of those `unread` cannot be read. `prints` are perceptual hashes and `digests`
    the SHA-256 of thumbnails, which took `seconds` of processor time.
    """

    broken: int
    measured: int
    unread: int
    prints: list[int]
    digests: list[str]
    seconds: float


def specs(count: int) -> list[Mapping[str, str]]:
    """Return the choices of `count` uniform samples of one cover's grammar, always the same ones."""
    space, rng = Space(_inputs()), np.random.default_rng(SEED)
    return [dict(space.sample(rng).choices) for _ in range(count)]


def examined(chosen: Sequence[Mapping[str, str]], looked: int) -> Examined:
    """Draw every spec as a thumbnail and check its rules; of the first `looked` measure the contrast on pixels at full size."""
    cover, texts = drawing("strawberry"), messages(COVER, BRAND)
    broken, unread, seconds = 0, 0, 0.0
    prints, digests = [], []
    for number, choices in enumerate(chosen):
        spec = CreativeSpec(choices)
        material = Material(COVER, by_key(texts)[spec["message"]], cover, BRAND)
        began = time.process_time()
        poster = compose(spec, material)
        image = render.pixels(poster, THUMBNAIL)
        seconds += time.process_time() - began
        unreadable = number < looked and bool(contrast_violations(poster))
        unread += unreadable
        broken += unreadable or bool(violations(poster, material))
        # what moves is drawn by films: posters are compared without it
        pixels = image.toarray(colorType=skia.kRGBA_8888_ColorType)[..., :3]
        prints.append(perceptual_hash(pixels))
        digests.append(hashlib.sha256(pixels.tobytes()).hexdigest())
    return Examined(broken, min(looked, len(chosen)), unread, prints, digests, seconds)


def _inputs() -> Inputs:
    return inputs_of(COVER, drawing("strawberry"), BRAND, messages(COVER, BRAND), film=True)


def metrics(parts: Sequence[Examined]) -> Iterator[Metric]:
    """Yield counts, violations, likeness and thumbnails' speed of what was examined. One cover, one brand; a film's spec is a poster's plus motion, easing and rhythm."""
    size = Space(_inputs()).size()
    prints = [one for part in parts for one in part.prints]
    drawn = len(prints)
    broken, measured, unread = (sum(getattr(part, name) for part in parts) for name in ("broken", "measured", "unread"))
    accepted = 1 - broken / drawn
    data = f"{drawn} uniform samples of the grammar, one cover, seed {SEED}"
    yield Metric(
        "creative.valid_specs", int(size * accepted), "specs", drawn, data, seed=SEED,
        baseline={"specs of the grammar, counted exactly": size, "share of samples that keep every rule": round(accepted, 5)},
    )  # fmt: skip
    yield Metric(
        "creative.constraint_violations", broken, "specs", drawn, data, seed=SEED,
        baseline={"contrast measured on rendered pixels of": measured, "of them unreadable": unread},
    )  # fmt: skip
    alike = drawn - len({digest for part in parts for digest in part.digests})
    yield Metric("creative.duplicates_in_10000", alike, "thumbnails", drawn, data, seed=SEED)
    distances = _distances(prints, np.random.default_rng(SEED))
    yield Metric(
        "creative.phash_diversity", round(float(distances.mean()), 4), "mean share of 64 bits that differ", len(distances), data, seed=SEED,
        baseline={"5th percentile": round(float(np.percentile(distances, 5)), 4), "independent noise": 0.5, "pairs within 6 bits": int((distances <= 6 / 64).sum())},
    )  # fmt: skip
    yield Metric(
        "creative.thumbnails_per_s", round(drawn / sum(part.seconds for part in parts), 1), "per second and core", drawn,
        "layout and drawing, processor time of the samples above", seed=SEED,
    )  # fmt: skip


def perceptual_hash(pixels: NDArray[np.uint8]) -> int:
    """Return the 64-bit pHash: the signs of the lowest frequencies of a 32 by 32 grey picture against their median (Zauner 2010)."""
    grey = cv2.resize(
        cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA
    )
    low = cv2.dct(grey.astype(np.float32))[:8, :8].ravel()
    bits = low > np.median(low)
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _distances(prints: list[int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the share of differing bits of random pairs."""
    pairs = rng.integers(len(prints), size=(min(200_000, len(prints) ** 2), 2))
    return np.array([(prints[a] ^ prints[b]).bit_count() / 64 for a, b in pairs if a != b])


def speed(*, quick: bool) -> Iterator[Metric]:
    """Yield how long a poster takes, from its spec to the file; to be asked while nothing else runs."""
    progress("posters of 1080 by 1350")
    rng = np.random.default_rng(SEED + 1)
    cover, texts = drawing("croissant"), messages(COVER, BRAND)
    space = Space(inputs_of(COVER, cover, BRAND, texts, aspects=("4:5",)))
    times = []
    for _ in range(30 if quick else 200):
        spec = space.sample(rng)
        began = time.monotonic()
        render.webp(compose(spec, Material(COVER, by_key(texts)[spec["message"]], cover, BRAND)))
        times.append((time.monotonic() - began) * 1000)
    value, interval = percentile_with_ci(times, 95, seed=SEED)
    yield Metric(
        "creative.poster_p95_ms", value, "ms", len(times), "layout, drawing and WebP of 1080 by 1350, one after the other", ci=interval, seed=SEED,
        baseline={"p50": round(float(np.median(times)), 1)}, samples=times,
    )  # fmt: skip
