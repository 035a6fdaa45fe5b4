"""Which language a message or an example is in, and its words as the English examples know them."""

from __future__ import annotations

from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from chatbot.languages import DEFAULT, read


def language_of(message: Message) -> str:
    """Return the language that a message is read in (the api tells), or that an example's file names."""
    told = message.get("metadata") or {}
    return str(told.get("reads") or (told.get("intent") or {}).get("language") or DEFAULT)


def plain(message: Message) -> str:
    """Return the message in the words that the rules and the English examples know."""
    return read(str(message.get(TEXT)), language_of(message))
