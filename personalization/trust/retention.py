"""The schedule of retention: how long what may be kept, for which purpose, under which law."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from personalization.types import Purpose

KINDS = frozenset({
    "templates", "conversations", "affect", "decisions", "orders", "exposures", "labels", "link_codes", "events", "files", "plays", "baskets", "groups",
    "merges", "service_orders", "order_changes", "accounts", "staff",
})  # fmt: skip
"""What a schedule can name."""


class RetentionError(ValueError):
    """A schedule cannot be used; the message says why."""


class Line(BaseModel):
    """One kind of data: `days` after `since`, for `purpose`; `law` where the number is the law's own."""

    model_config = ConfigDict(extra="forbid")
    days: int = Field(ge=0)
    purpose: str
    since: str
    law: str = ""


class Jurisdiction(BaseModel):
    """One law's terms."""

    model_config = ConfigDict(extra="forbid")
    about: str
    consents: dict[Purpose, int] = Field(default_factory=dict)
    data: dict[str, Line] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The shortest terms of all jurisdictions that count. `digest` names the file that it was read from."""

    jurisdictions: tuple[str, ...]
    consents: Mapping[Purpose, int]
    data: Mapping[str, Line]
    digest: str

    def expiry(self, purpose: Purpose, *, at: datetime) -> datetime | None:
        """Return until when a consent that is given at `at` lasts; None where it does not end by itself."""
        days = self.consents.get(purpose, 0)
        return at + timedelta(days=days) if days else None


def read_schedule(jurisdictions: Sequence[str], path: Path | None = None, *, files_days: int | None = None) -> Schedule:
    """Return the schedule of `path`, without it the one that ships, for these jurisdictions. Raises RetentionError.

    `files_days` : the shop's own term for files from the chat, which counts where it is shorter, or where the schedule has none.
    """
    try:
        text = path.read_text() if path else files("personalization.trust").joinpath("retention.yml").read_text()
        known = TypeAdapter(dict[str, Jurisdiction]).validate_python(yaml.safe_load(text))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        raise RetentionError(f"{path} is no schedule of retention: {error}") from error
    missing = sorted(set(jurisdictions) - known.keys())
    if missing or not jurisdictions:
        raise RetentionError(
            f"no schedule for {', '.join(missing) or 'no jurisdiction'}; there are: {', '.join(known)}"
        )
    consents, data = dict[Purpose, int](), dict[str, Line]()
    for name in jurisdictions:
        one = known[name]
        if unknown := sorted(one.data.keys() - KINDS):
            raise RetentionError(f"{name} names {', '.join(unknown)}; a schedule can name {', '.join(sorted(KINDS))}")
        for purpose, days in one.consents.items():
            consents[purpose] = min(filter(None, (days, consents.get(purpose, 0))), default=0)
        for kind, line in one.data.items():
            data[kind] = min(line, data.get(kind, line), key=lambda each: each.days)
    if files_days is not None and files_days < getattr(data.get("files"), "days", files_days + 1):
        data["files"] = Line(days=files_days, purpose="answering", since="the message")
    return Schedule(tuple(jurisdictions), consents, data, hashlib.sha256(text.encode()).hexdigest())
