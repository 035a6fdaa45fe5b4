"""Answers to the open question, corrections included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from chatbot.orders import tell
from chatbot.orders.assent import drops, says_no, says_yes
from chatbot.orders.entities import (
    known_addresses,
    match_address,
    read_address,
    read_address_parts,
    read_methods,
    read_orders,
    read_reason,
    region_of,
)
from chatbot.orders.mentions import mentions
from chatbot.orders.options import choose, read_options
from chatbot.orders.resolve import means_all, narrowed, ordinal
from chatbot.orders.state import Job, Pick, State
from chatbot.orders.steps import Steps
from chatbot.orders.text import tokens
from chatbot.orders.world import Line, World
from personalization.orders import Order

Answered = Literal["", "details", "answer", "dropped"]
_ONLY = re.compile(r"(?i)\b(?:only|just)\b")
_ANY = re.compile(
    r"(?i)^\W*(?:any(?: one| of them)?|whichever|whatever|either|you choose|surprise me|i don'?t (?:care|mind)|(?:it )?doesn'?t matter)\b"
)
_OUT = re.compile(
    r"(?i)\b(?:not|without|except|forget|remove|drop|skip|leave(?: out)?|don'?t (?:exchange|change|modify|return|include|want)|keep)\b"
)


class Answers:
    """Reads a message as the answer to the question that is open; "" when it is none."""

    def __init__(self, world: World, steps: Steps, state: State) -> None:
        self.world, self.steps, self.state = world, steps, state
        self._readers: Mapping[str, Callable[[Job, str], Answered]] = {
            "which_order": self._order, "which_item": self._piece, "items": self._items, "whole": self._whole, "reason": self._reason,
            "address": self._address, "region": self._region, "method": self._method, "variant": self._variant, "instead": self._instead,
            "confirm": self._revise, "revise": self._revise, "conflict": self._conflict,
        }  # fmt: skip

    def read(self, job: Job, text: str, wishes: list[Job]) -> Answered:
        """Return what the message was: an answer, details of the same wish, a refusal, or nothing of these."""
        asked = self.state.asked
        other = [wish for wish in wishes if wish.wish != job.wish]
        if asked in self._readers and (
            not wishes
            or asked
            in {"variant", "confirm", "revise", "address", "method", "reason", "conflict", "items", "which_item"}
        ):
            plain = not other or asked == "reason"
            found = self._readers[asked](job, text) if plain else ""
            if found:
                return found
        if not wishes and drops(text):
            return "dropped"
        order = self.world.order(job.order_id)
        if not wishes and order is not None and job.picks and self._amend(job, text, order):
            return "details"  # a correction of what was said before
        return ""

    def _order(self, job: Job, text: str) -> Answered:
        own, _ = read_orders(text, self.world.orders)
        own = [order_id for order_id in own if order_id in self.state.offered]
        offered = self.state.offered
        if not own and (at := ordinal(text, len(offered))) is not None:
            own = [offered[at]]
        if not own and means_all(text):
            own = list(offered)
        if not own:
            named = mentions(tokens(text), self.world.products)
            own = [
                o for o in offered if any(i.product_id in m.product_ids for m in named for i in self._order_of(o).items)
            ]
        if not own and job.wish == "cancel" and (reason := read_reason(text, self.steps.policy.reasons())):
            job.reason = reason
            return "answer"  # to the question after this one
        if not own:
            return ""
        if len(own) == 1 and job.wish != "cancel":
            job.order_id = own[0]
        else:
            job.named = own
        return "answer"

    def _order_of(self, order_id: str) -> Order:
        order = self.world.order(order_id)
        if order is None:
            raise LookupError(order_id)
        return order

    def _piece(self, job: Job, text: str) -> Answered:
        """Which of several pieces is meant: the rest of what was named stays to be found."""
        at, *refs = self.state.offered
        lines: list[Line] = []
        for ref in refs:
            order_id, _, place = ref.partition("|")
            order = self._order_of(order_id)
            lines.append((order, int(place), order.items[int(place)]))
        todo = job.todo[int(at)]
        chosen = self._chosen(lines, text)
        if not chosen:
            return ""
        todo.refs = [f"{line[0].order_id}|{line[1]}" for line in chosen]
        return "answer"

    def _chosen(self, lines: list[Line], text: str) -> list[Line]:
        place = ordinal(text, len(lines))
        if place is not None:
            return [lines[place]]
        own, _ = read_orders(text, self.world.orders)
        fitting = [line for line in lines if line[0].order_id in own] or [
            line for line in lines if line[2].item_id in text
        ]
        if means_all(text) and not fitting:
            return lines
        if len({tell.same(line) for line in fitting or lines}) > 1:
            fitting = narrowed(fitting or lines, text, self.world)
            said = [line for line in fitting if line[0].status in text.lower()]
            fitting = said or fitting
        return (
            fitting
            if len(fitting) < len(lines) and (len(fitting) == 1 or means_all(text))
            else fitting[:1]
            if len(fitting) < len(lines) and len({tell.same(line) for line in fitting}) == 1
            else []
        )

    def _items(self, job: Job, text: str) -> Answered:
        order = self._order_of(job.order_id)
        if means_all(text) or re.search(r"(?i)\beverything\b", text):
            job.picks = [Pick(ref, text) for ref in range(len(order.items))]
            return "answer"
        if (at := ordinal(text, len(order.items))) is not None:
            job.picks = [Pick(at, text)]
            return "answer"
        job.picks = [Pick(ref, ask) for ref, ask in self._named(order, text)]
        return "answer" if job.picks else ""

    def _named(self, order: Order, text: str) -> list[tuple[int, str]]:
        """Return the pieces of an order that a message names, each with the words that follow it."""
        words = tokens(text)
        found = mentions(words, {item.product_id: item.name for item in order.items})
        picks: list[tuple[int, str]] = []
        for at, mention in enumerate(found):
            end = words[found[at + 1].first].start if at + 1 < len(found) else len(text)
            refs = [
                i
                for i, item in enumerate(order.items)
                if item.product_id in mention.product_ids and i not in [ref for ref, _ in picks]
            ]
            picks += [(ref, text[words[mention.last].end : end]) for ref in refs[:1]]
        by_id = [(i, text) for i, item in enumerate(order.items) if item.item_id in text]
        return picks or by_id

    def _whole(self, job: Job, text: str) -> Answered:
        if says_yes(text) or (re.search(r"(?i)\b(?:whole|entire|all of it|everything)\b", text) and not says_no(text)):
            job.whole, job.picks = True, []
            job.reason = job.reason or read_reason(text, self.steps.policy.reasons()) or ""
            return "answer"
        return "dropped" if says_no(text) else ""

    def _instead(self, job: Job, text: str) -> Answered:
        if says_yes(text):
            job.whole = job.whole or "whole" in text.lower()
            job.reason = read_reason(text, self.steps.policy.reasons()) or ""
            return "answer"
        return "dropped" if says_no(text) else ""

    def _reason(self, job: Job, text: str) -> Answered:
        reasons = list(self.steps.policy.reasons())
        at = ordinal(text, len(reasons))
        job.reason = reasons[at] if at is not None else read_reason(text, reasons) or ""
        return "answer" if job.reason else ""

    def _address(self, job: Job, text: str) -> Answered:
        known = known_addresses(self.world.customer, self.world.orders)
        order = self.world.order(job.order_id)
        now = order.address if order else self.world.customer.address
        if (typed := read_address(text, now)) is not None:
            job.address = tell.address_json(typed)
            return "answer"
        at = ordinal(text, len(self.state.offered))
        own, _ = read_orders(text, self.world.orders)
        found = [a for a, _ in known if at is not None and str(a) == self.state.offered[at]] or match_address(
            text, known, own
        )
        found = [address for address in found if address != now]
        if len(found) != 1:
            return ""
        job.address = tell.address_json(found[0])
        return "answer"

    @staticmethod
    def _corrected(job: Job, text: str) -> bool:
        """Take in a part of the address that was told wrong: "no sorry, 40 Mill Street"."""
        parts = read_address_parts(text, job.address) if job.address else {}
        job.address.update(parts)
        return bool(parts)

    def _region(self, job: Job, text: str) -> Answered:
        job.address["region"] = region_of(text) or (text.strip(" .") if len(text.split()) <= 2 else "")
        return "answer" if job.address["region"] else ""

    def _method(self, job: Job, text: str) -> Answered:
        order = self.world.order(job.order_id)
        offered = [m for m in self.world.customer.methods if m.method_id in self.state.offered]
        offered.sort(key=lambda m: self.state.offered.index(m.method_id))
        at = ordinal(text, len(offered))
        found = [offered[at]] if at is not None else read_methods(text, offered, order)
        if not found and len(offered) == 1 and says_yes(text):
            found = offered
        if len(found) == 1:
            job.method_id = found[0].method_id
            return "answer"
        meant = read_methods(text, self.world.customer.methods, order)
        if meant and not found:
            job.pay = text
            return "answer"
        return "dropped" if says_no(text) and drops(text) else ""

    def _variant(self, job: Job, text: str) -> Answered:
        """Which kind: a number of the list, an item's number, or options; "leave it" takes the piece out."""
        pick_at, *offered = self.state.offered
        pick = job.picks[int(pick_at)]
        order = self._order_of(job.order_id)
        old = order.items[pick.ref]
        kinds = self.world.variants(old.product_id)
        exact = next((item_id for item_id in offered if item_id in text), None)
        at = ordinal(text, len(offered))
        if exact or (at is not None and len(text.split()) < 5 and not self._is_value(text, kinds)):
            pick.new_item = exact or offered[at or 0]
            return "answer"
        if offered and (_ANY.search(text) or (len(offered) == 1 and says_yes(text))):
            pick.new_item = offered[0]
            return "answer"
        if re.search(r"(?i)\bshow all\b|\bwhat (?:are|else)|\bwhich (?:ones|options|kinds)|\boptions\b", text):
            pick.ask = "any other, I do not care"
            return "details"
        wanted = read_options(text, kinds, old.options)
        if wanted.empty and not wanted.all_free:
            if drops(text) or says_no(text):
                job.picks.remove(pick)
                return "answer" if job.picks else "dropped"
            return ""
        among = [kind for kind in kinds if kind.item_id in offered]
        found, sure = choose(among, old.item_id, old.options, wanted)
        if not sure and len(found) > 1:  # what was said is all that matters, as far as it singles one out
            exactly = [k for k in found if all(k.options[n] == v[0] for n, v in wanted.values.items())]
            found = exactly if len(exactly) == 1 else found
        if len(found) == 1:
            pick.new_item = found[0].item_id
        else:
            pick.ask = text if found else f"{pick.ask} {text}"
            whole = read_options(f"{pick.ask} ", kinds, old.options)
            pick.ask = pick.ask if not whole.empty else text
        return "details"

    def _is_value(self, text: str, kinds: object) -> bool:
        return bool(re.search(r"(?i)\bsize\b", text))

    def _conflict(self, job: Job, text: str) -> Answered:
        first, second = self.state.offered
        low = text.lower()
        keep = next((wish for wish in (first, second) if tell.verb(wish) in low or wish in low), None)
        if keep is None and "exchange" in low:
            keep = "swap" if "swap" in (first, second) else None
        if keep is None:
            at = ordinal(text, 2)
            keep = (first, second)[at] if at is not None else None
        if keep is None:
            return "dropped" if drops(text) else ""
        self.state.jobs = [
            one
            for one in self.state.jobs
            if one.order_id != job.order_id or one.wish == keep or one.wish not in {first, second}
        ]
        return "answer"

    def _revise(self, job: Job, text: str) -> Answered:
        """Amend what was about to be confirmed."""
        order = self.world.order(job.order_id)
        if order is not None and self._amend(job, text, order):
            return "details"
        if job.wish in {"address", "account"} and (self._address(job, text) or self._corrected(job, text)):
            return "details"
        if job.wish == "cancel" and (reason := read_reason(text, self.steps.policy.reasons())) and not says_no(text):
            job.reason = reason
            return "details"
        if drops(text) or (says_no(text) and self.state.asked == "revise"):
            return "dropped"
        if says_no(text):
            return "dropped" if len(text.split()) < 12 else ""
        return ""

    def _amend(self, job: Job, text: str, order: Order) -> bool:
        changed = False
        meant = read_methods(text, self.world.customer.methods, order)
        if meant and job.wish in {"return", "swap", "payment"} and [m.method_id for m in meant] != [job.method_id]:
            job.method_id, job.pay, changed = "", text, True
        if job.wish not in {"return", "swap"}:
            return changed
        named = self._named(order, text)
        picked = {pick.ref: pick for pick in job.picks}
        if named and _ONLY.search(text):
            job.picks = [picked.get(ref) or Pick(ref, ask) for ref, ask in named]
            changed = True
        elif named and _OUT.search(text) and any(ref in picked for ref, _ in named):
            job.picks = [pick for pick in job.picks if pick.ref not in [ref for ref, _ in named]]
            changed = bool(job.picks)
        elif named:
            changed = self._more(job, order, named, picked) or changed
        elif job.wish == "swap" and len(job.picks) == 1:
            kinds = self.world.variants(order.items[job.picks[0].ref].product_id)
            wanted = read_options(text, kinds, order.items[job.picks[0].ref].options)
            exact = [kind for kind in kinds if kind.item_id in text]
            if not wanted.empty or exact:
                job.picks[0] = Pick(job.picks[0].ref, text)
                changed = True
        return changed

    def _more(self, job: Job, order: Order, named: list[tuple[int, str]], picked: Mapping[int, Pick]) -> bool:
        changed = False
        for ref, ask in named:
            if ref not in picked:
                job.picks.append(Pick(ref, ask))
                changed = True
            elif (
                job.wish == "swap"
                and not read_options(
                    ask, self.world.variants(order.items[ref].product_id), order.items[ref].options
                ).empty
            ):
                picked[ref].ask, picked[ref].new_item = ask, ""
                changed = True
            elif job.wish == "return":
                kinds = self.world.variants(order.items[ref].product_id)
                said = read_options(ask, kinds).values
                twins = [
                    i
                    for i, item in enumerate(order.items)
                    if item.product_id == order.items[ref].product_id and i not in picked
                ]
                changed = changed or bool(said and twins)
        return changed
