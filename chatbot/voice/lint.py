"""Hold every response of every language against the brand's voice: `aisle lint-voice`."""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatbot.languages import load_language
from chatbot.languages.language import FOLDER as LANGUAGES
from chatbot.languages.phrases import faults as phrase_faults
from chatbot.languages.phrases import read_phrases
from chatbot.voice.brand import BRAND, Brand, has_word, load_brand
from chatbot.voice.responses import PLACEHOLDER, RESPONSES, Line, Lines, VoiceError, load

SOURCES = (Path(__file__).parent.parent, Path(__file__).parent.parent.parent / "api")
_SENTENCE = re.compile(r"[.!?:]+\s+|\n+")
_ACT = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_TITLE = re.compile(r"[A-Z][\w’', ]+\??")
_PAIR = 2
_BRACES = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line that is not as it should be."""

    language: str
    act: str
    says: str

    def __str__(self) -> str:
        return f"{self.language} {self.act}: {self.says}"


def lint(folder: Path | None = None) -> list[Finding]:
    """Return what is wrong with the responses that come with Aisle, and with an operator's own in `folder`."""
    languages = sorted(path.name for path in RESPONSES.iterdir() if path.is_dir())
    if folder is not None:
        languages = sorted({*languages, *(path.name for path in folder.iterdir() if path.is_dir())})
    own = [folder / BRAND.name] if folder is not None and (folder / BRAND.name).exists() else []
    try:
        brands = {language: load_brand(BRAND, *own, language=language) for language in languages}
        acts = {language: _load(language, folder) for language in languages}
    except VoiceError as error:
        return [Finding("any", "files", str(error))]
    found = [finding for language in languages for finding in lint_acts(language, acts[language], brands[language])]
    english = acts.get("en", {})
    for language in languages:
        found += _against(language, acts[language], english)
        found += _phrases(language)
    found += [
        Finding("en", act, f"{where} says it, and there is no response") for act, where in used() if act not in english
    ]
    return found


def _load(language: str, folder: Path | None) -> dict[str, tuple[Line, ...]]:
    acts = load(RESPONSES / language)
    return acts if folder is None else acts | load(folder / language)


def lint_acts(language: str, acts: Lines, brand: Brand) -> Iterator[Finding]:
    """Yield what is wrong with each line of one language."""
    for act, lines in acts.items():
        texts = [line.text for line in lines]
        if len(set(texts)) < len(texts):
            yield Finding(language, act, "a line stands there twice")
        plain = [line for line in lines if not line.when]
        if len(plain) == 1 and _words(PLACEHOLDER.sub("", plain[0].text)) and not act.startswith(_ONCE):
            yield Finding(language, act, "needs two lines for any state, so that it need not repeat itself")
        for line in lines:
            wrong = (
                f"“{word}” does not address people as {brand.address}" for word in _address(language, line.text, brand)
            )
            for says in (*line_faults(line, brand), *wrong):
                yield Finding(language, act, f"{says} in “{line.text}”")


def _address(language: str, text: str, brand: Brand) -> Iterator[str]:
    """Yield the words of a line that address people otherwise than the brand does; where case tells them apart, it counts."""
    if brand.address:
        for word in load_language(language).addresses.get(brand.address, ()):
            inside = r"(?<=[^.!?:„“\"] )" if word[0].isupper() else r"(?<!\w)"  # any word may begin a sentence
            if re.search(rf"{inside}{word}(?!\w)", text, 0 if word[0].isupper() else re.IGNORECASE):
                yield word


def _phrases(language: str) -> Iterator[Finding]:
    """Yield titles of buttons that a language lacks, and phrases whose blanks are not those of the English ones."""
    if language == "en":
        return
    phrases = read_phrases(LANGUAGES / language / "phrases.yml")
    yield from (Finding(language, english, says) for english, says in phrase_faults(phrases))
    yield from (
        Finding(language, title, f"a button's title in {where} without words")
        for title, where in titles()
        if title not in phrases
    )


_ONCE = ("conversation.greeting", "account.erase.confirm", "handoff.sensitive.closed")
"""Acts that are said once, or must be said in exactly these words."""


def line_faults(line: Line, brand: Brand) -> Iterator[str]:
    """Yield what is wrong with one line."""
    text = line.text
    yield from (f"“{word}” is to be avoided" for word in brand.words_to_avoid if has_word(text, word))
    if brand.formality != "casual":
        yield from (f"“{word}” is too casual" for word in brand.casual_words if has_word(text, word))
    if _BRACES.search(PLACEHOLDER.sub("", text)):
        yield "a brace that is no placeholder"
    distressed = bool(line.when & brand.distressed)
    emoji = sum(unicodedata.category(letter) == "So" for letter in text)
    if emoji > (0 if brand.emoji == "none" or distressed else 1):
        yield "an emoji too many"
    if text.count("!") > (0 if distressed else brand.exclamation_marks):
        yield "an exclamation mark too many"
    longest = max((_words(sentence) for sentence in _SENTENCE.split(text)), default=0)
    if longest > brand.longest_sentence:
        yield f"a sentence of {longest} words"
    if _words(text) > brand.longest_answer:
        yield f"{_words(text)} words"
    if "impatient" in line.when and _words(text) > brand.longest_when_impatient:
        yield f"{_words(text)} words for the impatient"
    if sum(len(re.findall(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)) for word in brand.apologies) > 1:
        yield "more than one apology"
    if text.upper() == text and _words(text) > 1 and re.search("[A-Z]{2}", text):
        yield "shouting"


def _words(text: str) -> int:
    return len(re.findall(r"[\w{}’'-]+", text))


def _against(language: str, acts: Lines, english: Lines) -> Iterator[Finding]:
    """Yield the acts that a language lacks, has too many of, or fills otherwise than English does."""
    for act in sorted(english.keys() | acts.keys()):
        if act not in acts:
            yield Finding(language, act, "is missing")
        elif act not in english:
            yield Finding(language, act, "is no act of the English responses")
        else:
            strange = _placeholders(acts[act]) - _placeholders(english[act])
            if strange:
                yield Finding(language, act, f"nothing fills {', '.join(sorted(strange))}")


def _placeholders(lines: Sequence[Line]) -> frozenset[str]:
    return frozenset().union(*(line.placeholders for line in lines))


def used(folders: Sequence[Path] = SOURCES) -> list[tuple[str, str]]:
    """Return the acts that the code says (`say("search.found", …)`, `act="handoff.away"`), with the file."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            module = ast.parse(path.read_text(encoding="utf-8"))
            constants = _constants(module)
            for node in ast.walk(module):
                for act in (act for one in _named(node) for act in _acts(one, constants)):
                    found.setdefault(act, path.name)
    return sorted(found.items())


_SAYS = {"say": 0, "word": 0, "_message": 1, "_says": 1}
"""Functions that say an act, with the place of the act among their arguments."""


def _named(node: ast.AST) -> list[ast.expr]:
    """Return what a piece of code gives as an act: to a function that says it, as `act=…`, or to a variable `act`."""
    if isinstance(node, ast.Call):
        place = _SAYS.get(_name(node.func))
        given = node.args[place : place + 1] if place is not None else []
        return [*given, *(one.value for one in node.keywords if one.arg == "act")]
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "act" for one in node.targets):
        return [node.value]
    return []


def _constants(module: ast.Module) -> dict[str, ast.expr]:
    """Return what the names of a module stand for: `A = "x"`, and `A, B = "x", "y"`."""
    found: dict[str, ast.expr] = {}
    for node in module.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                pairs = zip(names, values, strict=False)
                found |= {name.id: value for name, value in pairs if isinstance(name, ast.Name)}
    return found


def titles(folders: Sequence[Path] = SOURCES) -> list[tuple[str, str]]:
    """Return the titles of buttons that stand in the code, as pairs of title and words to send, with the file."""
    found: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        if path.parent.name not in {"actions", "orders", "services", "chatbot"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            pair = (
                node.elts
                if isinstance(node, ast.Tuple)
                else node.args
                if isinstance(node, ast.Call) and _name(node.func) == "QuickReply"
                else []
            )
            said = [one.value for one in pair if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if len(pair) == len(said) == _PAIR and _TITLE.fullmatch(said[0]) and not said[1].isspace() and said[1]:
                found.setdefault(said[0], path.name)
    return sorted(found.items())


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _acts(argument: ast.expr, constants: Mapping[str, ast.expr]) -> list[str]:
    """Return the acts that an argument stands for, those of both sides of an `a if … else b` too."""
    if isinstance(argument, ast.IfExp):
        return [*_acts(argument.body, constants), *_acts(argument.orelse, constants)]
    if isinstance(argument, ast.Name):
        argument = constants.get(argument.id, argument)
    value = argument.value if isinstance(argument, ast.Constant) else None
    return [value] if isinstance(value, str) and _ACT.fullmatch(value) else []


def report(found: Sequence[Finding], counts: Mapping[str, int]) -> str:
    """Return the findings, or that all is well, in lines for a terminal."""
    told = [str(finding) for finding in found]
    sizes = ", ".join(f"{language} {count} acts" for language, count in counts.items())
    return "\n".join(
        [*told, f"{len(found)} findings ({sizes})" if found else f"The voice is as it should be ({sizes})."]
    )


def main(folder: Path | None = None) -> int:
    """Print the findings; return 1 when there are any."""
    counts = {path.name: len(load(path)) for path in sorted(RESPONSES.iterdir()) if path.is_dir()}
    found = lint(folder)
    sys.stdout.write(report(found, counts) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
