"""The worker: applies events to purchases, responses, profiles and labels; keeps labels fresh, and expired money and data out."""

from __future__ import annotations

import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import structlog

from api.services.connectors.salesforce_events import Listener
from api.services.desk import Desk
from api.services.dialogue_memory import DialogueMemory
from api.services.drafts import DraftMaker
from api.services.figure_keeper import FigureKeeper
from api.services.films import FilmMaker
from api.services.privacy import Privacy
from api.services.webhooks import Sender
from api.wiring import Services
from personalization.profiling.drift import CHANGED, Drift
from personalization.types import EventType
from stores.events import Event, append
from stores.outcomes import tell
from stores.projection import project_once
from stores.scheduled import enforce

log = structlog.get_logger(__name__)
IDLE_S, GATHER_S = 0.2, 0.15
HOUSEKEEPING_S = 60.0
PACE_S = 2.0
PASS, LONGEST_PASS = 500, 5_000
MOST_UNLABELLED = 50_000  # events of a flood, until their members are labelled all the same
FRESH_FOR = timedelta(hours=12)
HASHED = 2_000  # addresses of before they could be found that one housekeeping makes findable
REFRESHED = 200  # members whose labels one housekeeping renews
FACES_EVERY_S = 3600.0
DRIFT_AFTER_S, DRIFT_EVERY_S = 600.0, 6 * 3600.0
_DRIFT = uuid.UUID("9f0c2f0e-6b5a-4b7e-9d42-1c1f0a6f6d11")


class Worker:
    """Runs until stopped, on a thread of the api or as a process of its own. Restarting it loses and repeats nothing."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._bite, self._unlabelled = PASS, 0
        self._drift_due, self._pace_due, self._place_due = time.monotonic() + DRIFT_AFTER_S, 0.0, 0.0
        self._faces_due = 0.0

    def start(self) -> None:
        """Run on a thread."""
        self._thread = threading.Thread(target=self.run, daemon=True, name="worker")
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done now."""
        self._stop.set()
        self._services.db.appended.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def run(self) -> None:
        """Work until `stop` is called; a failed pass is tried again."""
        housekeeping = 0.0
        self._warm()
        if self._services.stream is not None:
            self._services.stream.consume(self._services.events)
        films, drafts, figures = FilmMaker(self._services), DraftMaker(self._services), FigureKeeper(self._services)
        films.start()
        drafts.start()
        figures.start()
        webhooks = Sender(self._services.webhooks, self._services.tellers)
        webhooks.start()
        salesforce = Listener(self._services, self._services.salesforce_login)
        salesforce.start()
        while not self._stop.is_set():
            self._services.db.appended.clear()
            try:
                done = self._pass()
                self._pace()
                self._place()
                if time.monotonic() >= housekeeping:
                    housekeeping = time.monotonic() + HOUSEKEEPING_S
                    self._keep_house()
            except Exception as error:
                log.exception("worker pass failed", kind=type(error).__name__)
                self._stop.wait(IDLE_S)
                done = 0
            if done == 0:
                self._services.db.appended.wait(IDLE_S)
            elif self._bite == PASS:  # a pass costs the same for one event as for a hundred
                self._stop.wait(GATHER_S)
        salesforce.stop()
        webhooks.stop()
        films.stop()
        drafts.stop()
        figures.stop()

    def _warm(self) -> None:
        trained = self._services.artifacts
        if trained is not None and trained.churn is not None:
            try:
                trained.churn.load()
            except (ImportError, OSError, ValueError, RuntimeError) as error:
                log.warning("the churn model cannot be loaded; labels go on without it", kind=type(error).__name__)

    def _pass(self) -> int:
        """Apply what is new: first to orders and responses, then to profiles.

        A flood is taken in larger bites, and labelled at its end. A worker that dies meanwhile leaves members marked as
        unlabelled, which the next housekeeping finds.
        """
        services, now = self._services, datetime.now(UTC)
        flood = self._bite > PASS
        projected = project_once(services.db, limit=self._bite)
        folded = services.profiles.consume(now=now, limit=self._bite, label=not flood)
        self._unlabelled += folded if flood else 0
        self._bite = min(self._bite * 2, LONGEST_PASS) if max(folded, projected) >= self._bite else PASS
        if self._unlabelled and (self._bite == PASS or self._unlabelled > MOST_UNLABELLED):
            while services.profiles.refresh(now=now, older_than=now - FRESH_FOR, limit=REFRESHED) == REFRESHED:
                if self._stop.is_set():
                    break
            self._unlabelled = 0
        services.metrics.projected.inc(projected)
        services.metrics.folded.inc(folded)
        return projected + folded

    def _pace(self) -> None:
        if time.monotonic() >= self._pace_due:
            self._pace_due = time.monotonic() + PACE_S
            self._services.pace(now=datetime.now(UTC))

    def _place(self) -> None:
        """Let outcomes of creatives move what is placed: at once where there are any, else every few seconds."""
        services, now = self._services, datetime.now(UTC)
        told = services.creative_campaigns.credit(now=now, limit=LONGEST_PASS)
        if told or time.monotonic() >= self._place_due:
            self._place_due = time.monotonic() + PACE_S
            services.creative_loop.advance(now=now)

    def _keep_house(self) -> None:
        services, now = self._services, datetime.now(UTC)
        services.ledger.release_expired(now)
        Privacy(services, lambda _member: None).finish(now=now)
        services.campaign_plans.finish(at=now)
        tell(services.db, now=now)
        services.profiles.refresh(now=now, older_than=now - FRESH_FOR, limit=REFRESHED)
        requeued, ended = Desk(services).tidy()
        if requeued or ended:
            log.info("conversations went back into the queue, or left it", requeued=requeued, ended=ended)
        DialogueMemory(services).forget(now=now)
        services.replies.purge(now=now)
        services.baskets.purge(now=now)
        services.sessions.purge(now=now)
        services.widget_sessions.purge(now=now)
        services.webhooks.purge(now=now)
        services.labels.forget_expired(now=now)
        services.members.hash_emails(HASHED)
        services.metrics.backlog.set(services.profiles.backlog())
        if time.monotonic() >= self._faces_due:
            self._faces_due = time.monotonic() + FACES_EVERY_S
            Privacy(services, lambda _member: None).expire(now=now)
            category = {product_id: one.category for product_id, one in services.catalogue.facts().items()}
            if narrow := services.variety.work_out(category, now=now):
                log.warning("members were shown little variety last week; their slates are widened", members=narrow)
            services.metrics.narrow.set(services.variety.narrow(at=now))
            for done in enforce(services.db, services.schedule, now=now):
                log.info(
                    "what was past its retention was deleted", scope=done["scope"], count=sum(done["deleted"].values())
                )
        if time.monotonic() >= self._drift_due:
            self._drift_due = time.monotonic() + DRIFT_EVERY_S
            self.watch_drift(now)

    def watch_drift(self, now: datetime) -> Drift | None:
        """Compare the members with those that segments were trained on; an alert, at most one a day, when they have changed."""
        services, trained = self._services, self._services.artifacts
        found = services.drift(now=now)
        if found is None or trained is None:
            return None
        for part, value in found.psi.items():
            services.metrics.drift.labels(part).set(value)
        services.figures.put_drift(found.psi.items(), now=now)
        if found.verdict == "changed":
            event_id = str(uuid.uuid5(_DRIFT, f"{trained.version} {now:%Y-%m-%d}"))
            payload = {
                "kind": "drift",
                "value": round(found.worst[1], 3),
                "before": CHANGED,
                "sentence": found.sentence(),
            }
            with services.db.write() as connection:
                append(connection, [Event(event_id, EventType.ALERTED, now, "api", payload=payload)], received_at=now)
        return found
