"""Finds the order, or the pieces of orders, that a wish is about; what could be several is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from chatbot.orders import tell
from chatbot.orders.entities import match_address
from chatbot.orders.policy import Policy
from chatbot.orders.resolve import ACTIONS, by_order, candidates, everything, feasible
from chatbot.orders.state import Job, Out, State, Todo
from chatbot.orders.world import Line, World
from personalization.orders import Order

_IT = re.compile(r"(?i)\b(?:it|that|this)(?: (?:one|order))?\b")


@dataclass(slots=True)
class Dropped:
    """The job cannot go on; what is said about it, and what may be done instead."""

    out: Out
    instead: Job | None = None


class Finding:
    """Turns a job without an order into jobs with one, or into the question which it is; `notes` is what to mention."""

    def __init__(self, policy: Policy, world: World, state: State) -> None:
        self.policy, self.world, self.state = policy, world, state
        self.notes: list[Out] = []

    def find(self, job: Job) -> Out | Dropped | list[Job]:
        """Find the order, or the pieces, that the job is about."""
        if job.holding and not job.named and (question := self._by_content(job)) is not None:
            return question
        if job.every and job.wish in {"cancel", "return", "swap"}:
            return self._everything(job)
        if job.todo and job.wish in ACTIONS:
            return self._pieces(job)
        possible = self._possible(job)
        if not job.named and not job.every and _IT.search(job.text):
            possible = [order for order in possible if order.order_id == self.state.last_order] or possible
        if job.named or job.every or len(possible) == 1:
            return [replace_order(job, order_id) for order_id in job.named or [order.order_id for order in possible]]
        return self._which_order(job, possible) if possible else self._nothing(job)

    def _by_content(self, job: Job) -> Out | None:
        """Find "the order with the keyboard"."""
        holding = [order for order in self.world.orders if any(item.product_id in job.holding for item in order.items)]
        holding = [order for order in holding if feasible(job, order, self.policy)] or holding
        job.named, job.holding = [order.order_id for order in holding], []
        return self._which_order(job, holding) if len(holding) > 1 else None

    def _everything(self, job: Job) -> Dropped | list[Job]:
        found = by_order(job, everything(job, self.world, self.policy))
        for one in found:
            one.whole = True
            one.picks = one.picks if job.wish != "cancel" else []
        return found or self._nothing(job)

    def _possible(self, job: Job) -> list[Order]:
        """Return the orders that the wish can begin on; of a changed address, the one in the place that is named."""
        possible = [order for order in self.world.orders if feasible(job, order, self.policy)]
        if job.wish != "address" or job.every:
            return possible
        before = before_to(job.text)
        there = [o for o in possible if o.address in match_address(before, [(o.address, o.order_id)], [])]
        return there if len(there) == 1 else possible

    def _nothing(self, job: Job) -> Dropped:
        human = [("Talk to a human", "talk to a human")]
        return Dropped(Out("order.nothing_possible", {"action": tell.verb(job.wish)}, human))

    def _which_order(self, job: Job, possible: Sequence[Order]) -> Out:
        job.named = []
        self.state.open("which_order", [order.order_id for order in possible])
        listed = [tell.order_line(order) for order in possible]
        return Out(
            "order.which_order",
            {"action": tell.verb(job.wish), "choices": tell.numbered(listed)},
            [(o.order_id, o.order_id) for o in possible[:6]],
        )

    def _pieces(self, job: Job) -> Out | Dropped | list[Job]:
        """Find what is named, one after the other; what is found decides where the rest is, unless it is elsewhere only."""
        found: list[tuple[Line, str]] = []
        taken = [(j.order_id, pick.ref) for j in self.state.jobs if j.wish == job.wish for pick in j.picks]
        for at, todo in enumerate(job.todo):
            if todo.old == "keep":
                continue
            if todo.refs:
                found += [(line, todo.new) for line in self.world.lines if place(line) in todo.refs]
                continue
            used = [*taken, *((line[0].order_id, line[1]) for line, _ in found)]
            lines = self._near(candidates(todo, job, self.world, self.policy, used), found, todo)
            if not lines:
                self._note_missing(todo, used)
            elif todo.many or (job.wish == "cancel" and len({line[0].order_id for line in lines}) == 1):
                found += [(line, todo.new) for line in lines]
            elif len({tell.same(line) for line in lines}) == 1:
                found.append((lines[0], todo.new))
            else:
                return self._which_item(at, lines)
        if not found:
            return Dropped(self.notes.pop() if self.notes else Out("order.no_such_item", {"item": "such item"}))
        return by_order(job, found)

    @staticmethod
    def _near(lines: list[Line], found: Sequence[tuple[Line, str]], todo: Todo) -> list[Line]:
        orders = {line[0].order_id for line in lines}
        settled = orders & {line[0].order_id for line, _ in found}
        if len(orders) > 1 and len(settled) == 1 and not todo.many:
            return [line for line in lines if line[0].order_id in settled]
        return lines

    def _note_missing(self, todo: Todo, used: Sequence[tuple[str, int]]) -> None:
        """Say what is in no order; what is dealt with already needs no word."""
        if any(
            (line[0].order_id, line[1]) in used for line in self.world.lines if line[2].product_id in todo.product_ids
        ):
            return
        names = sorted({self.world.products[p] for p in todo.product_ids if p in self.world.products})
        self.notes.append(Out("order.no_such_item", {"item": " or ".join(names[:2])}))

    def _which_item(self, at: int, lines: list[Line]) -> Out:
        self.state.open("which_item", [str(at), *(place(line) for line in lines)])
        values = {"item": lines[0][2].name, "choices": tell.numbered([tell.piece(line) for line in lines])}
        return Out("order.which_item", dict(values), [(str(i), str(i)) for i in range(1, min(len(lines), 6) + 1)])


def place(line: Line) -> str:
    """Return where a piece is: its order and its place in it."""
    return f"{line[0].order_id}|{line[1]}"


def replace_order(job: Job, order_id: str) -> Job:
    """Return the job for one order."""
    return msgspec.structs.replace(
        job, order_id=order_id, todo=[], picks=list(job.picks), named=[], holding=[], every=False
    )


def before_to(text: str) -> str:
    """Return what stands before "to": what an address is changed of."""
    return re.split(r"(?i)\b(?:to|instead)\b(?! (?:change|update|modify|correct|have|get|be|make))", text)[0]
