"""What a message names: products, categories, brands and attributes of the catalogue, numbers, money, places in a list, people.

Runs on our side, not in Rasa, so that a catalogue's words count as soon as they are imported and nothing is trained again.
"""

from chatbot.entities.extractor import Extractor
from chatbot.entities.lexicon import Lexicon
from chatbot.entities.types import Entity, Kind

__all__ = ["Entity", "Extractor", "Kind", "Lexicon"]
