"""When somebody answers: opening hours as they are written, "Mon-Sat 8:00-20:00, Sun 10:00-18:00"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART = re.compile(r"\s*([a-z]+)(?:\s*-\s*([a-z]+))?\s+(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*", re.IGNORECASE)
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Hours:
    """The spans of each day of the week, Monday first, in a time zone; none at all: always open."""

    spans: tuple[tuple[tuple[time, time], ...], ...]
    zone: ZoneInfo

    def open_at(self, at: datetime) -> bool:
        """Whether it is open then."""
        if not any(self.spans):
            return True
        here = at.astimezone(self.zone)
        return any(first <= here.time() < last for first, last in self.spans[here.weekday()])

    def opens_after(self, at: datetime) -> datetime | None:
        """Return when it opens next, None when it is always open."""
        here = at.astimezone(self.zone)
        for days in range(8):
            day = here.date() + timedelta(days=days)
            for first, _ in self.spans[day.weekday()]:
                opening = datetime.combine(day, first, self.zone)
                if opening > here:
                    return opening
        return None


def parse(written: str, zone: str = "UTC") -> Hours:
    """Return the hours; ValueError says which part is not understood."""
    spans: list[list[tuple[time, time]]] = [[] for _ in _DAYS]
    for part in filter(str.strip, written.split(",")):
        match = _PART.fullmatch(part)
        names = [name[:3].lower() for name in match.group(1, 2) if name] if match else []
        if match is None or any(name not in _DAYS for name in names):
            raise ValueError(f"{part.strip()!r} is not like 'Mon-Sat 8:00-20:00'")
        first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
        begin, end = time(int(match[3]), int(match[4])), time(int(match[5]) % 24, int(match[6]))
        end = time.max if match[5] == "24" else end
        for day in range(first, last + 1 if last >= first else last + 8):
            spans[day % 7].append((begin, end))
    return Hours(tuple(tuple(sorted(day)) for day in spans), ZoneInfo(zone))


def told(opening: datetime, now: datetime) -> str:
    """Return when that is, in words: "8:00", "8:00 tomorrow", "8:00 on Monday"."""
    here = now.astimezone(opening.tzinfo)
    days = (opening.date() - here.date()).days
    day = "" if days == 0 else " tomorrow" if days == 1 else f" on {_NAMES[opening.weekday()]}"
    return f"{opening:%H:%M}{day}"
