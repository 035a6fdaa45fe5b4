"""An optional language model behind the voice: it may word what is known, and nothing else; off unless a URL is set."""

from chatbot.language_model.client import LanguageModelClient, LanguageModelError
from chatbot.language_model.wording import LanguageModel, Worded

__all__ = ["LanguageModel", "LanguageModelClient", "LanguageModelError", "Worded"]
