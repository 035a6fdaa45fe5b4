"""Profiles and a filled log for tests."""

from __future__ import annotations

from bench.event_log import fill_log as fill
from bench.event_log import make_shop
from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import LabelSource
from stores.catalogue import SqlCatalogue
from stores.database import Database
from stores.profiles import SqlProfiles
from tests.small_shop import NOW


def profiles_of(db: Database, *sources: LabelSource) -> SqlProfiles:
    return SqlProfiles(db, SqlCatalogue(db).facts, Labeller(sources))


def consume_all(profiles: SqlProfiles, limit: int = 500) -> None:
    while profiles.consume(now=NOW, limit=limit):
        pass


def fill_log(db: Database, events: int, members: int) -> None:
    """A synthetic shop whose log has `events` events of `members` members; SQLite only."""
    make_shop(db, members, at=NOW)
    fill(db, events, members, until=NOW)
