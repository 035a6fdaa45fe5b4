"""What every part of the assistant needs: whose conversation it is, and what may be read for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from api.services.catalogue_names import CatalogueNames
from api.services.privacy import Privacy
from api.wiring import Services
from personalization.trust.gate import ConsentGate
from personalization.types import MemberId, Purpose, Subject, VisitorId
from stores.conversations import Conversation
from stores.errors import NotFoundError

UNKNOWN = "I do not know who you are, so there is nothing of yours that I could look up. Sign in on the shop's page and ask me again."


class AssistantBase:
    """One conversation at a time, with that shopper's rights; safe to call from several threads."""

    def __init__(
        self, services: Services, privacy: Privacy, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._services, self._privacy, self._now = services, privacy, now
        self._gate, self._names = ConsentGate(services.consents), CatalogueNames(services)

    def warm_up(self) -> None:
        """Begin to read the catalogue's names, so that the first shopper need not wait."""
        self._names.warm_up()

    def is_member(self, conversation_id: str) -> bool:
        """Whether the shopper is known."""
        return self._member_id(conversation_id) is not None

    def _conversation(self, conversation_id: str) -> Conversation:
        conversation = self._services.conversations.get(conversation_id)
        if conversation is None:
            raise NotFoundError("there is no such conversation")
        return conversation

    def _member_id(self, conversation_id: str) -> MemberId | None:
        """Return the member, as long as they still exist: an erased member is a stranger at once."""
        found = self._conversation(conversation_id).member_id
        return MemberId(found) if found and self._services.members.get(found) else None

    def _subject(self, conversation_id: str) -> Subject:
        return Subject(self._member_id(conversation_id), VisitorId(self._conversation(conversation_id).visitor_id))

    def _may(self, conversation_id: str, purpose: Purpose) -> bool:
        """Ask the gate before anything personal is read."""
        return self._gate.allows(self._subject(conversation_id), purpose, at=self._now())

    @property
    def _base(self) -> str:
        """Return the address that cards are relative to: widgets stand on other origins."""
        return self._services.settings.resolved_public_url
