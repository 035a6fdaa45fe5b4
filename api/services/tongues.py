"""Which language a conversation is in: heard from its messages, kept with it, and said politely where it is none of those served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import yaml

from api.wiring import Services
from chatbot.languages.detect import hear, settled
from chatbot.languages.language import FOLDER
from chatbot.ports import BotMessage, QuickReply
from stores.conversations import Conversation, Message

UNSERVED = "conversation.language.unserved"
_LATEST = 4


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a message is answered in, what it is read in, and the language that is not served, if it is in one."""

    language: str
    reads: str
    other: str = ""


class Tongues:
    """Hears languages; what it settles on is stored with the conversation. `known` tells of a word that the catalogue has it."""

    def __init__(self, services: Services, known: Callable[[str], bool] = lambda _: False) -> None:
        self._services, self._served, self._known = services, services.settings.served_languages, known
        threading.Thread(
            target=hear, args=("good morning", self._served), name="languages", daemon=True
        ).start()  # loads its files

    def hear(self, conversation: Conversation, text: str, newest: Sequence[Message], *, button: bool = False) -> Spoken:
        """Return what a message is in; the conversation goes on in a language until a clear message is in another.

        newest : the conversation's newest messages, with this one

        What a button sends is English, whatever its title, and tells nothing of the shopper.
        """
        now = conversation.language if conversation.language in self._served else self._served[0]
        heard = hear(text, self._served, self._known)
        if button:
            return Spoken(now, heard.language if heard.language and heard.words > 1 else "en")
        latest = newest[-_LATEST:]
        first = sum(message.role == "user" for message in latest) <= 1
        language = settled(now, heard, first=first)
        if language != conversation.language:
            self._services.conversations.set(conversation.conversation_id, language=language)
        acts = [str(message.body.get("act") or "") for message in latest if message.role == "bot"]
        told = acts[-1:] and (acts[-1] == UNSERVED or acts[-1].startswith("order."))  # a place or a name is no language
        return Spoken(language, heard.language or language, "" if told else heard.other)

    def unserved(self, spoken: Spoken, already_said: Sequence[str] = ()) -> BotMessage:
        """Return which languages are served, in the shopper's own where that is one of the common ones."""
        voice = self._services.voice.speaking(spoken.language)
        own = _sentences().get(spoken.other)
        values = {"languages": voice.languages}
        text = own.format(**values) if own else voice.word(UNSERVED, values, already_said=already_said)
        human = QuickReply(voice.phrases.title("Talk to a human"), "talk to a human")
        return BotMessage(text, quick_replies=[human], act=UNSERVED)


@cache
def _sentences() -> dict[str, str]:
    read = yaml.safe_load((FOLDER / "unserved.yml").read_text(encoding="utf-8"))
    return {str(code): str(sentence) for code, sentence in read.items()}
