"""Copies of texts as hasty or bilingual people write them; the teachers' word on the clean text is their label."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

SWITCHES: Mapping[str, str] = {
    "thanks": "gracias merci danke", "thank you": "gracias muchas-gracias merci vielen-dank", "please": "por-favor bitte s'il-vous-plait",
    "but": "pero aber mais", "very": "muy sehr tres", "good": "bueno gut bon", "bad": "malo schlecht mauvais", "great": "genial toll super",
    "i love": "me-encanta ich-liebe j'adore", "i hate": "odio ich-hasse je-deteste", "i like": "me-gusta ich-mag j'aime", "sad": "triste traurig",
    "happy": "feliz glücklich content contento", "angry": "enojado wütend fâché", "sorry": "lo-siento entschuldigung désolé", "why": "por-que warum pourquoi",
    "what": "que was quoi", "not": "no nicht pas", "never": "nunca nie jamais", "always": "siempre immer toujours", "friend": "amigo freund ami",
    "today": "hoy heute", "money": "dinero geld argent", "time": "tiempo zeit", "shit": "mierda scheiße merde", "fuck": "joder verdammt putain",
    "idiot": "idiota trottel", "stupid": "estúpido dumm stupide", "terrible": "horrible schrecklich fatal", "beautiful": "hermoso schön", "oh my god": "dios-mio oh-mein-gott",
    "really": "de-verdad wirklich vraiment", "now": "ahora jetzt maintenant", "help": "ayuda hilfe aide", "work": "trabajo arbeit", "wrong": "mal falsch",
    "i don't know": "no-sé keine-ahnung je-ne-sais-pas", "i don't understand": "no-entiendo ich-verstehe-nicht", "yes": "sí ja oui", "afraid": "miedo angst peur",
    "worried": "preocupado besorgt inquiet", "waiting": "esperando warte", "again": "otra-vez wieder encore", "nothing": "nada nichts rien", "everything": "todo alles tout",
    "and": "y und et", "with": "con mit avec", "my": "mi mein mon", "because": "porque weil", "so": "tan so", "too": "demasiado zu",
}  # fmt: skip
"""English words, and what Spanish, German and French speakers put in their place ("-" is a space)."""
_TABLE = {word: tuple(others.replace("-", " ") for others in line.split()) for word, line in SWITCHES.items()}
_PATTERN = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _TABLE), key=len, reverse=True)) + r")\b", re.IGNORECASE)
_NEIGHBOURS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def typos(text: str, rng: np.random.Generator, rate: float = 0.06) -> str:
    """Return `text` with letters swapped, dropped, doubled, or hit beside the key."""
    letters, out, at = list(text), [], 0
    while at < len(letters):
        letter = letters[at]
        if not letter.isalpha() or rng.random() > rate:
            out.append(letter)
            at += 1
            continue
        kind = rng.integers(4)
        if kind == 0 and at + 1 < len(letters):
            out += [letters[at + 1], letter]
            at += 2
            continue
        out += {0: [], 1: [], 2: [letter, letter], 3: [_beside(letter, rng)]}[int(kind)]
        at += 1
    return "".join(out)


def _beside(letter: str, rng: np.random.Generator) -> str:
    for row in _NEIGHBOURS:
        if (place := row.find(letter.lower())) >= 0:
            return row[max(0, min(len(row) - 1, place + int(rng.choice([-1, 1]))))]
    return letter


def switched(text: str, rng: np.random.Generator) -> str:
    """Return `text` with most known words in another language; the same text when it has none."""
    language = int(rng.integers(3))

    def other(match: re.Match[str]) -> str:
        choices = _TABLE[match.group().lower()]
        return choices[language % len(choices)] if rng.random() < 0.8 else match.group()

    return _PATTERN.sub(other, text)
