"""Plays a script: writes what the shopper writes, answers what is asked, and keeps what came of each turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bench.conversations.check import Sells, failures, looped
from bench.conversations.heard import Heard, Memory
from bench.conversations.outcomes import Outcomes
from bench.conversations.script import Expected, Script, Step


class Talk(Protocol):
    """One conversation with a shop."""

    def say(self, text: str, title: str | None = None, *, basket: bool = False) -> Heard:
        """Send a message and return the answer; `basket` looks into the basket after it. Trouble is told in the answer."""
        ...

    def history(self) -> Sequence[Mapping[str, Any]]:
        """Return the messages so far, as a reloaded page reads them."""
        ...


@dataclass(frozen=True, slots=True)
class Played:
    """One message of the shopper and what came of it."""

    step: Step
    heard: Heard
    failures: tuple[str, ...]
    looped: bool


@dataclass(frozen=True, slots=True)
class Result:
    """A script that was played as far as its first failure goes on: to its end."""

    script: Script
    turns: tuple[Played, ...]

    @property
    def succeeded(self) -> bool:
        """Whether everything was as expected."""
        return not any(turn.failures for turn in self.turns)


class Player:
    """Plays scripts against a shop."""

    def __init__(self, outcomes: Outcomes, sells: Sells) -> None:
        self._outcomes, self._sells = outcomes, sells

    def play(self, script: Script, talk: Talk) -> Result:
        """Play a script to its end, also where something went wrong on the way."""
        memory, turns = Memory(), list[Played]()
        for step in script.steps:
            turns += self._step(step, talk, memory)
        return Result(script, tuple(turns))

    def _step(self, step: Step, talk: Talk, memory: Memory) -> list[Played]:
        if step.pause is not None:
            return [self._reload(step, talk, memory)]
        if step.answering is not None:
            return self._answer(step, talk, memory)
        text, title = step.user or "", None
        if step.press is not None:
            button = next((r for r in _buttons(memory) if step.press.casefold() in r["title"].casefold()), None)
            if button is None:
                missing = Heard(step.press, (), {}, "", "bot", 0.0, trouble=f"no button says {step.press}")
                return [Played(step, missing, (str(missing.trouble),), False)]
            text, title = button["text"], button["title"]
        return [self._said(step, step.expected, text, title, talk, memory)]

    def _answer(self, step: Step, talk: Talk, memory: Memory) -> list[Played]:
        """Answer question after question until what was wanted has come of it."""
        asked, turns = step.answering, list[Played]()
        assert asked is not None
        on_the_way = Expected(never=step.expected.never)
        for _ in range(asked.within + 1):
            acts = memory.before.acts if memory.before else []
            if self._outcomes.are(acts, asked.until):
                return turns
            question = self._outcomes.which(acts, asked.answers)
            if question is None:
                return self._stuck(turns, step, f"asks nothing that has an answer: {', '.join(acts) or 'nothing'}")
            if len(turns) == asked.within:
                break
            turns.append(self._said(step, on_the_way, asked.answers[question], None, talk, memory))
            if turns[-1].heard.trouble is not None:
                return turns
        return self._stuck(turns, step, f"not {' or '.join(asked.until)} after {asked.within} messages")

    def _stuck(self, turns: list[Played], step: Step, told: str) -> list[Played]:
        if not turns:
            turns = [Played(step, Heard("", (), {}, "", "bot", 0.0), (), False)]
        return [*turns[:-1], replace(turns[-1], failures=(*turns[-1].failures, told))]

    def _said(self, step: Step, expected: Expected, text: str, title: str | None, talk: Talk, memory: Memory) -> Played:
        heard = talk.say(text, title, basket=expected.basket is not None)
        wrong = failures(heard, expected, memory, self._outcomes, self._sells)
        again = looped(heard, memory, self._outcomes)
        memory.keep(heard)
        return Played(step, heard, tuple(wrong), again)

    def _reload(self, step: Step, talk: Talk, memory: Memory) -> Played:
        """Read the conversation as a new page does; the last answer must be its end."""
        told = talk.history()
        last = memory.before.text if memory.before else ""
        shown = "\n".join(str(message["text"]) for message in told)
        wrong = () if shown.endswith(last) else ("after a reload the last answer is not the end of the conversation",)
        return Played(step, Heard("(reload)", (), {}, "", "bot", 0.0), wrong, False)


def _buttons(memory: Memory) -> list[Mapping[str, str]]:
    return memory.before.replies if memory.before else []
