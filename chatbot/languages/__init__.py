"""Languages: each is a folder here, beside its responses and its NLU examples. docs/languages.md says how to add one."""

from chatbot.languages.language import DEFAULT, Language, available, load_language
from chatbot.languages.reading import read

__all__ = ["DEFAULT", "Language", "available", "load_language", "read"]
