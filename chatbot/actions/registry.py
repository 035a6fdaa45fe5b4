"""Which handler stands behind which action, and which flow waits for which answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from chatbot.actions.say import Say
from chatbot.ports import ShopAssistant

Handler = Callable[[ShopAssistant, Say], Any]
"""Answers one turn; returns Rasa events, None, or, in a flow, NOT_AN_ANSWER."""

NOT_AN_ANSWER = object()
"""What a flow returns when the message does not answer its question: it is then handled as a digression."""

ANSWERS = frozenset(
    f"action_{intent}"
    for intent in ("inform", "affirm", "deny", "correction", "never_mind", "pick_item", "clarify", "out_of_scope")
)
"""What a waiting flow hears first; a name or a number is easily taken for something unknown."""

NO_REMINDER = frozenset(
    ("action_goodbye", "action_human", "action_complaint", "action_erase_now", "action_forget_chat")
)


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow that can wait: who hears the answer, which other actions may be one, and how it is taken up again."""

    name: str
    handler: Handler
    also: frozenset[str] = frozenset()
    reminder: Handler | None = None


_handlers: dict[str, Handler] = {}
_flows: dict[str, Flow] = {}


def on(name: str) -> Callable[[Handler], Handler]:
    """Register a handler for the action `action_NAME`."""

    def register(handler: Handler) -> Handler:
        _handlers[f"action_{name}"] = handler
        return handler

    return register


def awaits(flow: str, *, also: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
    """Register what hears the answers while the slot `awaiting` is `flow`; `also` names further intents that may be one."""

    def register(handler: Handler) -> Handler:
        _flows[flow] = Flow(flow, handler, frozenset(f"action_{intent}" for intent in also))
        return handler

    return register


def reminds(flow: str) -> Callable[[Handler], Handler]:
    """Register how `flow` is taken up again after a digression, where `FLOW.reminder` with no values is not enough."""

    def register(handler: Handler) -> Handler:
        _flows[flow] = replace(_flows[flow], reminder=handler)
        return handler

    return register


def handlers() -> Mapping[str, Handler]:
    """Return the handlers by action name."""
    return MappingProxyType(_handlers)


def flows() -> Mapping[str, Flow]:
    """Return the flows that can wait, by name."""
    return MappingProxyType(_flows)
