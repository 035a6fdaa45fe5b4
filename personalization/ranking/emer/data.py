"""What the ensemble's training reads and is told; none of it needs torch, so that serving never loads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ablation:
    """Parts of EMER that can be left out, to see what each is worth (the names of the paper's table)."""

    ranks: bool = True
    transformer: bool = True
    posterior: bool = True
    prior: bool = True
    per_unit_time: bool = True
    evolving: bool = True
    relative: bool = True  # else pointwise: cross-entropy of each candidate for itself


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. batch : requests; rate : AdamW's; prior_weight : L = L_post + prior_weight L_prior."""

    epochs: int = 4
    batch: int = 32
    rate: float = 1e-3
    decay: float = 1e-2
    prior_weight: float = 0.3
    hidden: int = 64
    layers: int = 2
    seed: int = 7
    parts: Ablation = Ablation()


@dataclass(frozen=True, slots=True)
class Shard:
    """Requests as the ensemble reads them, row by row; starts : (requests + 1,).

    tokens : (rows, width) float16; goals : (rows, K) predictions, larger is better; unit : (rows,) predicted unit time;
    satisfaction : (rows,) number of positive feedbacks; shown : (rows,) bool.
    """

    starts: NDArray[np.int64]
    tokens: NDArray[np.float16]
    goals: Floats32
    unit: Floats32
    satisfaction: NDArray[np.int64]
    shown: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.starts) - 1


class ShardWriter:
    """Writes shards, or other dataclasses of arrays, into a folder, one file each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._count = folder, 0

    def write(self, shard: Any) -> None:
        """Append a shard."""
        np.savez(self._folder / f"{self._count:05d}.npz", **{f.name: getattr(shard, f.name) for f in fields(shard)})
        self._count += 1


def read_shards(folder: Path, order: NDArray[np.int64] | None = None) -> Iterator[Shard]:
    """Yield a folder's shards, in `order` where it is given; one is in memory at a time."""
    yield from read_parts(folder, Shard, order)


def read_parts(folder: Path, kind: type[T], order: NDArray[np.int64] | None = None) -> Iterator[T]:
    """Yield what a `ShardWriter` wrote, each a `kind`."""
    files = sorted(folder.glob("*.npz"))
    for number in range(len(files)) if order is None else order:
        with np.load(files[number], allow_pickle=False) as parts:
            yield kind(**dict(parts))
