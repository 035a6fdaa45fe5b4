"""What the dialogue engine remembers of a conversation goes with it, however often that has to be asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import structlog

from api.wiring import Services
from stores.dialogue_erasures import SqlDialogueErasures
from stores.tables import dialogue_erasures

log = structlog.get_logger(__name__)
AT_ONCE = 200
REMEMBERS = timedelta(days=30)  # Rasa keeps trackers in memory: no process of it is older


class DialogueMemory:
    """Asks every Rasa to forget what `stores.erasure` deleted; what one did not confirm is asked again by the worker."""

    def __init__(self, services: Services, transport: httpx.BaseTransport | None = None) -> None:
        self._db = services.db
        self._left, self._transport = SqlDialogueErasures(services.db), transport
        self._urls, self._timeout = services.settings.rasa_urls, services.settings.rasa_timeout_s

    def forget(self, *, now: datetime) -> int:
        """Ask for all that is due; return how many every Rasa forgot."""
        due = self._left.due(AT_ONCE)
        if not due:
            return 0
        done: list[str] = []
        with httpx.Client(transport=self._transport, timeout=self._timeout) as client:
            for sender_id in due:
                try:
                    for url in self._urls:
                        client.put(f"{url}/conversations/{sender_id}/tracker/events", json=[]).raise_for_status()
                    done.append(sender_id)
                except httpx.HTTPError as error:  # the next time
                    log.warning("a Rasa has not forgotten yet", cause=type(error).__name__)
                    if not isinstance(error, httpx.HTTPStatusError):  # it is away: each of them would wait as long
                        break
        self._left.done(done, before=now - REMEMBERS)
        self._db.scrub([dialogue_erasures.name])
        return len(done)
