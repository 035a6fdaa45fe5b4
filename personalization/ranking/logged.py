"""Logged requests made ready to learn from: features as of then, what was shown, and what came of it; on disk, in blocks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.decisions import LoggedRequest
from personalization.ranking.catalogue import Catalogue, items_at
from personalization.ranking.emer.data import ShardWriter, read_parts
from personalization.ranking.emer.tokens import as_row
from personalization.ranking.features import MemberHistory, taste_scores
from personalization.ranking.history import History, as_day
from personalization.ranking.items import Items
from personalization.ranking.objectives import NAMES
from personalization.ranking.requests import numbered
from personalization.ranking.scoring import told
from personalization.ranking.shopper import Shopper, Shoppers
from personalization.types import EventType

Floats32 = NDArray[np.float32]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]
FEEDBACK = (EventType.CLICKED, EventType.ADDED_TO_BASKET, EventType.BOUGHT, EventType.REDEEMED)
BLOCK = 100  # requests in memory together; few, so that epochs mix them well with those that were made from orders


@dataclass(frozen=True, slots=True)
class Block:
    """Logged requests, row by row.

    starts : (requests + 1,); member : (requests,) rows of the member table, numbers behind it for who never bought; day :
    (requests,) days since 1970; context : (requests, CONTEXT); features : (rows, FEATURES) as of then; predictions : (rows,
    NAMES) as they were logged, nan in requests without; place : (rows,) on the slate from 1, 0 where not shown; seen :
    (rows,) shown, and viewed where the request tells of views; feedback : (rows, FEEDBACK).
    """

    starts: Ints
    member: Ints
    day: NDArray[np.float64]
    context: Floats32
    features: Floats32
    predictions: Floats32
    place: Ints
    seen: Flags
    feedback: Flags

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self.starts) - 1


@dataclass(frozen=True, slots=True)
class Examples:
    """Items that were seen: features (rows, FEATURES + 1) with their place; member : (rows,); feedback : (rows, FEEDBACK)."""

    features: Floats32
    member: Ints
    feedback: Flags

    @property
    def engaged(self) -> Flags:
        """Whether anything was done with each."""
        return np.asarray(self.feedback.any(axis=1))

    @property
    def taken(self) -> Flags:
        """Whether each was put into the basket or bought."""
        return np.asarray(self.feedback[:, 1:].any(axis=1))


@dataclass(frozen=True, slots=True)
class Log:
    """Blocks in a folder. requests : how many; members : how many numbers `Block.member` takes; sha256 : of what was read."""

    folder: Path
    requests: int
    members: int
    sha256: str

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks, oldest first; one is in memory at a time."""
        return read_parts(self.folder, Block)

    def members_since(self, day: float) -> Ints:
        """Return who has requests from `day` on."""
        found = [block.member[block.day >= day] for block in self.blocks()]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)


def keep(
    requests: Iterable[LoggedRequest], folder: Path, history: History, catalogue: Catalogue, members: pl.Series, *,
    every: float, seed: int,
) -> Log:  # fmt: skip
    """Write `requests`, oldest first, as blocks into `folder`; one block is in memory at a time.

    Items are as of the first request, and their facts anew after `every` days: never later than a request, as in serving.
    A request of which fewer than two candidates are known teaches nothing, and is passed over.
    """
    reader = _Reader(history, catalogue, members, every, seed)
    digest, writer, count = hashlib.sha256(), ShardWriter(folder), 0
    rest = (found for request in requests if (found := reader.read(request, digest)) is not None)
    while parts := list(islice(rest, BLOCK)):
        starts = np.concatenate([[0], np.cumsum([len(part.place) for part in parts])])
        names = [name for name in Block.__slots__ if name != "starts"]
        writer.write(Block(starts, *(np.concatenate([getattr(part, name) for part in parts]) for name in names)))
        count += len(parts)
    return Log(folder, count, len(reader.number), digest.hexdigest())


def tally(requests: Iterable[LoggedRequest], least_requests: int, least_positive: int) -> tuple[int, int]:
    """Return how many requests there are, and how many items something was done with, until both are enough."""
    count = positive = 0
    for request in requests:
        count += 1
        positive += sum(not found.keys().isdisjoint(FEEDBACK) for found in request.outcomes.values())
        if count >= least_requests and positive >= least_positive:
            break
    return count, positive


class _Reader:
    def __init__(self, history: History, catalogue: Catalogue, members: pl.Series, every: float, seed: int) -> None:
        self._history, self._catalogue, self._every, self._seed = history, catalogue, every, seed
        self._known = len(members)
        self.number = {str(member): row for row, member in enumerate(members)}
        self._position = {str(product): place for place, product in enumerate(catalogue.product_ids)}
        self._items: Items | None = None
        self._shoppers: Shoppers
        self._made = -np.inf  # the day that the items are as of

    def read(self, request: LoggedRequest, digest: hashlib._Hash) -> Block | None:
        """Return one request as a block, and note it in `digest`."""
        ids = request.candidates.product_ids
        rows = [row for row, product_id in enumerate(ids) if product_id in self._position]
        place = {product_id: number for number, product_id in enumerate(request.shown, 1)}
        if len(rows) < 2:
            return None
        digest.update(json.dumps([request.decision_id, request.outcomes], sort_keys=True).encode())
        member = self.number.setdefault(request.member_id, len(self.number))
        day = as_day(request.context.at)
        item = np.array([self._position[ids[row]] for row in rows])
        outcomes = [request.outcomes.get(ids[row], {}) for row in rows]
        shown = np.array([place.get(ids[row], 0) for row in rows])
        feedback = np.array([[kind in found for kind in FEEDBACK] for found in outcomes]) & (shown > 0)[:, None]
        viewed = np.array([EventType.VIEWED in found for found in outcomes])
        seen = (shown > 0) & (feedback.any(axis=1) | viewed | (not viewed.any()))
        return Block(
            np.array([0, len(rows)]), np.array([member]), np.array([day]), as_row(told(request.context))[None],
            self._shopper(request, member, day).features(item), _logged(request, rows), shown, seen, feedback,
        )  # fmt: skip

    def _shopper(self, request: LoggedRequest, member: int, day: float) -> Shopper:
        if self._items is None or day >= self._made + self._every:
            near = None if self._items is None else self._items.neighbours
            self._items = items_at(self._catalogue, self._history, self._known, day, seed=self._seed, near=near)
            self._shoppers, self._made = Shoppers(self._items), day
        known = MemberHistory.of(numbered(self._history, member, member + 1).before(day), self._items)
        here = self._shoppers.here(request.context.store_id)
        return Shopper(self._items, known, taste_scores(known, self._items)[0], here, day)


def _logged(request: LoggedRequest, rows: list[int]) -> Floats32:
    """Return the predictions that were logged, (rows, NAMES), nan where some are missing."""
    names = request.candidates.objectives
    if not set(NAMES) <= set(names):
        return np.full((len(rows), len(NAMES)), np.nan, np.float32)
    found = np.array(request.candidates.predictions, np.float32)
    return found[np.ix_(rows, [names.index(name) for name in NAMES])]
