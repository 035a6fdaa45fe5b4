"""Consent, export and erasure, with what they must trigger elsewhere: galleries reload, kiosks turn anonymous."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from api.views import label_words
from api.wiring import Services
from personalization.types import MemberId, Purpose, Subject
from stores.consents import SEEN, ConsentEntry, append, expired, lock
from stores.erasure import erase_member, erase_templates, export_member, identifiers
from stores.events import in_order
from stores.kiosks import bump_gallery
from stores.withdrawals import done, take_back, unfinished

_NAMES = {
    Purpose.PROFILING: "using what you bought", Purpose.MARKETING: "personal offers", Purpose.LOCATION: "which shop you are in",
    Purpose.FACE_RECOGNITION: "recognising your face at displays", Purpose.EXPRESSION: "reading your facial expression",
    Purpose.RESEARCH: "research", Purpose.SENSORS: "readings of your devices",
}  # fmt: skip
_LEFT = timedelta(seconds=30)
"""After which a withdrawal that is not done with is one that nobody works at."""


class Privacy:
    """Acts on one member's rights. `on_face_forgotten` is told whom the kiosks must no longer show."""

    def __init__(self, services: Services, on_face_forgotten: Callable[[MemberId], None]) -> None:
        self._services, self._on_face_forgotten = services, on_face_forgotten

    def record(
        self, member_id: MemberId, decisions: Mapping[Purpose, bool], *, channel: str, text_version: str
    ) -> None:
        """Append consents and withdrawals; a withdrawn face recognition deletes the templates at once.

        What the database holds goes in the ledger's own transaction. The rest is noted there, and the worker finishes what a crash left.
        """
        self._record(member_id, decisions, channel, text_version)

    def _record(
        self,
        member_id: MemberId,
        decisions: Mapping[Purpose, bool],
        channel: str,
        text_version: str,
        only: Callable[[Connection], Collection[Purpose]] | None = None,
    ) -> bool:
        """Do it for those of the decisions that `only` names, once nobody else can append about the member; return whether there was one."""
        now, expiry, db = datetime.now(UTC), self._services.schedule.expiry, self._services.db
        with db.write() as connection:
            if not SEEN.isdisjoint(decisions):
                bump_gallery(connection)  # cameras hold copies of who may be recognised and read
            if not all(decisions.values()):
                in_order(connection)  # what is appended from now on asks the ledger as it will be
            lock(connection, [member_id])
            if only is not None:
                wanted = only(connection)
                decisions = {purpose: granted for purpose, granted in decisions.items() if purpose in wanted}
            if not decisions:
                return False
            withdrawn = {purpose for purpose, granted in decisions.items() if not granted}
            if withdrawn:
                take_back(connection, member_id, withdrawn, at=now)
            entries = [
                ConsentEntry(
                    member_id,
                    purpose,
                    granted,
                    now,
                    channel,
                    text_version,
                    expiry(purpose, at=now) if granted else None,
                )
                for purpose, granted in decisions.items()
            ]
            append(db, connection, entries)
        if Purpose.FACE_RECOGNITION in withdrawn:
            self._on_face_forgotten(member_id)  # before what may take longer: a screen in a shop is what others see
        if withdrawn:
            self._finish(member_id, withdrawn, now=now)
        else:
            self._services.profiles.rebuild([member_id], now=now)  # with what was agreed to
        return True

    def _finish(self, member_id: MemberId, withdrawn: Collection[Purpose], *, now: datetime) -> None:
        """Do what takes longer than a transaction may; done again, it changes nothing."""
        self._services.measured.forget()
        self._services.profiles.rebuild([member_id], now=now)  # without what was withdrawn
        agreed = self._services.consents.granted(Subject(member_id), at=datetime.now(UTC))
        if Purpose.FACE_RECOGNITION in withdrawn and Purpose.FACE_RECOGNITION not in agreed:
            erase_templates(self._services.db, member_id, at=now)
        done(self._services.db, member_id, withdrawn, until=now)

    def finish(self, *, now: datetime, left: timedelta = _LEFT) -> int:
        """Finish withdrawals that a process left when it was killed, or an import; return of how many members there were.

        left : for how long nobody has worked at them.
        """
        found = unfinished(self._services.db, before=now - left)
        for member_id, purposes in found.items():
            self._on_face_forgotten(member_id)
            self._finish(member_id, purposes, now=now)
        return len(found)

    def expire(self, *, now: datetime) -> int:
        """Do for consents whose time is over what a withdrawal does; return how many members had one.

        Who agreed anew since the ledger was read is left alone: it is read again where nobody else can append.
        """
        count = 0
        for member_id, purposes in self._services.consents.expired(now=now).items():

            def still(connection: Connection, who: MemberId = member_id) -> Collection[Purpose]:
                return expired(connection, now=now, member_id=who).get(who, frozenset())

            count += self._record(member_id, dict.fromkeys(purposes, False), "expiry", "expiry-1", only=still)
        return count

    def forget_face(self, member_id: MemberId, *, channel: str) -> bool:
        """Withdraw face recognition and expression; return whether there was a template."""
        had = self._services.templates.count(member_id) > 0
        self.record(
            member_id,
            {Purpose.FACE_RECOGNITION: False, Purpose.EXPRESSION: False},
            channel=channel,
            text_version="withdrawal-1",
        )
        return had

    def erase(self, member_id: MemberId) -> dict[str, Any]:
        """Delete the member everywhere; return the receipt."""
        self._on_face_forgotten(member_id)
        stream, db = self._services.stream, self._services.db
        names = identifiers(db, member_id) if stream else []
        receipt = erase_member(db, member_id, at=datetime.now(UTC))
        self._services.measured.forget()
        if stream is not None:  # after the log: what is only now appended to it names nobody any more
            gone = stream.forget(names)
            if gone is not None:  # else the broker does it later
                receipt["deleted"]["broker"] = gone
        self._on_face_forgotten(member_id)  # whom a camera saw meanwhile
        return receipt

    def export(self, member_id: MemberId) -> dict[str, Any]:
        """Return everything about the member."""
        return export_member(self._services.db, member_id)

    def summary(self, member_id: MemberId) -> str:
        """Tell what is stored: paragraphs, and a line for each conclusion."""
        services, now = self._services, datetime.now(UTC)
        member = services.members.get(member_id)
        granted = services.consents.granted(Subject(member_id), at=now)
        yes = [name for purpose, name in _NAMES.items() if purpose in granted]
        no = [name for purpose, name in _NAMES.items() if purpose not in granted]
        faces = services.templates.count(member_id)
        face = "A face template is stored, encrypted." if faces else "No face template is stored."
        told = [f"I know you as {member.display_name}." if member else "I do not know your name."]
        told.append(f"You agreed to: {', '.join(yes)}." if yes else "You have not agreed to anything.")
        if no:
            told.append(f"You did not agree to: {', '.join(no)}.")
        paragraphs = [" ".join([*told, face])]
        if Purpose.PROFILING in granted:
            purchases = services.purchases.of_member(member_id, until=now)
            orders = len({purchase.order_id for purchase in purchases})
            seen = f"I can see {orders:,} orders with {len(purchases):,} lines."
            labels = services.labels.of_member(member_id, at=now)
            concluded = [f"• {label_words(label)}. {label.sentence}" for label in labels]
            paragraphs.append("\n".join([f"{seen} What I conclude:" if labels else seen, *concluded]))
        return "\n\n".join(paragraphs)
