"""What a job needs next: a question, a refusal with its reason, or the confirmation of the whole change."""

from __future__ import annotations

import re
from dataclasses import replace

from chatbot.orders import tell
from chatbot.orders.entities import known_addresses, match_address, read_address, read_methods, read_orders, read_reason
from chatbot.orders.finding import Dropped, Finding
from chatbot.orders.operations import (
    Cancel,
    ChangeAccountAddress,
    ChangeAddress,
    ChangeItems,
    ChangePayment,
    Exchange,
    Operation,
    Return,
    Swap,
)
from chatbot.orders.options import choose, read_options
from chatbot.orders.policy import Verdict
from chatbot.orders.resolve import action_for, feasible
from chatbot.orders.service import ForbiddenError, OrderService
from chatbot.orders.state import Job, Out, Pick, State
from chatbot.orders.world import World
from personalization.orders import Address, Order

_SAME_AS = re.compile(
    r"(?i)\b(?:same|type|one|kind|version|that)\b.{0,30}\b(?:already|other order|pending order|another order|received|i have|i got|bought before)\b"
)
_SAME = re.compile(
    r"(?i)^\W*(?:the |an? )?(?:exact(?:ly)? )?(?:same|identical|new)\b(?!.{0,60}\b(?:but|with|except)\b)"
)


class Steps:
    """Leads one job to its confirmation."""

    def __init__(self, service: OrderService, world: World, state: State) -> None:
        self.service, self.policy, self.world, self.state = service, service.policy, world, state
        self.notes: list[Out] = []

    def next(self, job: Job) -> Out | Dropped | list[Job]:
        """Return what to say, why it ends, or the jobs that it becomes."""
        if job.wish == "undo":
            return Dropped(Out("order.undo", {}, [("Talk to a human", "talk to a human")]))
        if job.wish == "account":
            return self._address(job, None)
        if job.strange and not job.order_id and not job.named:
            self.state.open("which_order", [order.order_id for order in self.world.orders])
            return Out("order.unknown_order", {"order": job.strange})
        if not job.order_id:
            finding = Finding(self.policy, self.world, self.state)
            found = finding.find(job)
            self.notes += finding.notes
            return found
        order = self.world.order(job.order_id)
        if order is None:
            return Dropped(Out("order.unknown_order", {"order": job.order_id}))
        self.state.last_order = order.order_id
        return self._of_order(job, order)

    def _of_order(self, job: Job, order: Order) -> Out | Dropped:
        action = action_for(job, order, self.policy)
        verdict = self.policy.may_start(action, order)
        if not verdict.allowed:
            return self._refused(job, order, verdict)
        if job.wish == "swap":
            return self._swap(job, order, action)
        steps = {"cancel": self._cancel, "address": self._address, "payment": self._payment, "return": self._return}
        return steps[job.wish](job, order)

    def _refused(self, job: Job, order: Order, verdict: Verdict) -> Dropped:
        """Say why not, and offer what can be done with the order instead."""
        human = [("Talk to a human", "talk to a human")]
        other = {"return": "cancel", "swap": "cancel", "cancel": "return"}.get(job.wish)
        if other is None or order.status != ("pending" if other == "cancel" else "delivered"):
            return Dropped(Out("order.forbidden", {"why": verdict.why}, human))
        instead = Job(other, order.order_id, job.text, picks=list(job.picks), pay=job.pay)
        if not feasible(instead, order, self.policy):
            return Dropped(Out("order.forbidden", {"why": verdict.why}, human))
        self.state.open("instead")
        say = Out(
            f"order.instead.{other}", {"why": verdict.why, "order": order.order_id}, [("Yes", "yes"), ("No", "no")]
        )
        return Dropped(say, instead)

    def _cancel(self, job: Job, order: Order) -> Out | Dropped:
        if (
            self.policy.whole_orders_only("cancel")
            and job.picks
            and len(job.picks) < len(order.items)
            and not job.whole
        ):
            self.state.open("whole")
            items = ", ".join(item.name for item in order.items)
            return Out(
                "order.whole",
                {"order": order.order_id, "items": items},
                [("Yes, all of it", "yes"), ("No, keep it", "no")],
            )
        reasons = list(self.policy.reasons())
        job.reason = job.reason or read_reason(job.text, reasons) or ""  # said along with the wish
        if not job.reason:
            self.state.open("reason", reasons)
            return Out(
                "order.reason",
                {"order": order.order_id, "reasons": tell.either(reasons)},
                [(reason.capitalize(), reason) for reason in reasons],
            )
        return self._confirm(Cancel(order.order_id, job.reason), order)

    def _address(self, job: Job, order: Order | None) -> Out | Dropped:
        known = known_addresses(self.world.customer, self.world.orders)
        now = order.address if order else self.world.customer.address
        if not job.address:
            said = read_address(job.text, now)
            target = after_to(job.text)
            own, _ = read_orders(target, self.world.orders)
            options = [said] if said else match_address(target, known, own)
            options = [address for address in options if address != now] or options
            if options == [now] and target != job.text:
                return Dropped(
                    Out("order.address.same", {"what": f"order {order.order_id}" if order else "your account"})
                )
            if len(options) != 1 or (options[0] == now and said is None):
                others = [address for address, _ in known if address != now]
                self.state.open("address", [str(address) for address in others])
                act = "order.address.ask" if others else "order.address.type"
                listed = tell.numbered([str(address) for address in others])
                what = f"order {order.order_id}" if order else "your account"
                return Out(
                    act,
                    {"what": what, "now": str(now), "choices": listed},
                    [(a.city, str(i + 1)) for i, a in enumerate(others[:4])],
                )
            job.address = tell.address_json(options[0])
        address = Address(**job.address)
        if not address.region:
            same_city = next(
                (known_one.region for known_one, _ in known if known_one.city.lower() == address.city.lower()), ""
            )
            if not same_city:
                self.state.open("region")
                return Out("order.address.region", {"city": address.city})
            address = replace(address, region=same_city)
            job.address = tell.address_json(address)
        if address == now:
            return Dropped(Out("order.address.same", {"what": f"order {order.order_id}" if order else "your account"}))
        if order is None:
            return self._confirm(ChangeAccountAddress(address), None)
        return self._confirm(ChangeAddress(order.order_id, address), order)

    def _payment(self, job: Job, order: Order) -> Out | Dropped:
        asked = self._method(job, order, "change_payment")
        return asked or self._confirm(ChangePayment(order.order_id, job.method_id), order)

    def _return(self, job: Job, order: Order) -> Out | Dropped:
        if not job.picks:
            return self._which_items(job, order)
        asked = self._method(job, order, "return")
        return asked or self._confirm(
            Return(order.order_id, tuple(order.items[p.ref].item_id for p in job.picks), job.method_id), order
        )

    def _which_items(self, job: Job, order: Order) -> Out | Dropped:
        if len(order.items) == 1:
            job.picks = [Pick(0, job.text)]
            return Out("order.again")
        self.state.open("items", [str(ref) for ref in range(len(order.items))])
        listed = tell.numbered([tell.item(item) for item in order.items])
        return Out(
            "order.which_items",
            {"action": tell.verb(job.wish), "order": order.order_id, "choices": listed},
            [("All of them", "all of them")],
        )

    def _swap(self, job: Job, order: Order, action: str) -> Out | Dropped:
        if not job.picks:
            return self._which_items(job, order)
        for pick in job.picks:
            if not pick.new_item and (question := self._new_kind(job, pick, order)) is not None:
                return question
        job.picks = [pick for pick in job.picks if pick.new_item != order.items[pick.ref].item_id]
        if not job.picks:
            return Dropped(Out("order.nothing_to_change", {"order": order.order_id}))
        asked = self._method(job, order, action)
        if asked:
            return asked
        swaps = tuple(Swap(order.items[pick.ref].item_id, pick.new_item) for pick in job.picks)
        operation = (
            ChangeItems(order.order_id, swaps, job.method_id)
            if action == "change_items"
            else Exchange(order.order_id, swaps, job.method_id)
        )
        return self._confirm(operation, order)

    def _new_kind(self, job: Job, pick: Pick, order: Order) -> Out | None:
        """Settle which kind a piece becomes, or return the question about it."""
        old = order.items[pick.ref]
        kinds = self.world.variants(old.product_id)
        exact = next((kind for kind in kinds if kind.item_id in pick.ask), None)
        other = self._other_one(pick, order)
        if other or (exact and exact.available and exact.item_id != old.item_id):
            pick.new_item = other or (exact.item_id if exact else "")
            return None
        wanted = read_options(pick.ask, kinds, old.options)
        found, sure = choose(kinds, old.item_id, old.options, wanted)
        if job.every and wanted.price:
            sure = bool(found)
        if sure:
            better = found[0].price.minor_units - old.price.minor_units
            # "all to the dearest": what is the dearest already stays
            pick.new_item = (
                old.item_id if wanted.price and wanted.all_free and better * wanted.price < 0 else found[0].item_id
            )
            return None
        what = {"item": tell.item(old), "order": order.order_id}
        if wanted.empty and not wanted.all_free:
            available = [kind for kind in kinds if kind.available and kind.item_id != old.item_id]
            self.state.open("variant", [str(job.picks.index(pick)), *(kind.item_id for kind in available)])
            act = "order.variant.same" if _SAME.search(pick.ask) else "order.variant.ask"
            return Out(
                act,
                {**what, "choices": tell.option_values(available)},
                [("Show all", "show all"), ("Leave it as it is", "leave it as it is")],
            )
        if not found:
            available = [kind for kind in kinds if kind.available and kind.item_id != old.item_id]
            near, _ = choose(available, old.item_id, old.options, read_options("", kinds))
            self.state.open("variant", [str(job.picks.index(pick)), *(kind.item_id for kind in near)])
            return Out(
                "order.variant.none",
                {**what, "choices": tell.numbered([tell.kind(kind) for kind in near])},
                [("Leave it as it is", "leave it as it is")],
            )
        self.state.open("variant", [str(job.picks.index(pick)), *(kind.item_id for kind in found)])
        listed = tell.numbered([tell.kind(kind) for kind in found])
        return Out(
            "order.variant.choose",
            {**what, "choices": listed},
            [(str(i + 1), str(i + 1)) for i in range(min(len(found), 6))],
        )

    def _other_one(self, pick: Pick, order: Order) -> str:
        """Return the kind of "the same as the one in my other order", if there is exactly one that can be had."""
        if not _SAME_AS.search(pick.ask):
            return ""
        old = order.items[pick.ref]
        others = {
            item.item_id
            for o, _, item in self.world.lines
            if o.order_id != order.order_id and item.product_id == old.product_id
        } - {old.item_id}
        there = [kind for kind in self.world.variants(old.product_id) if kind.item_id in others and kind.available]
        if len(there) > 1 and "pending" in pick.ask:
            there = [
                k
                for k in there
                if any(o.status == "pending" and i.item_id == k.item_id for o, _, i in self.world.lines)
            ]
        return there[0].item_id if len(there) == 1 else ""

    def _method(self, job: Job, order: Order, action: str) -> Out | None:
        """Settle the payment method; what the words about payment leave open is asked."""
        allowed = self.policy.methods(action, self.world.customer, order)
        if job.method_id and any(method.method_id == job.method_id for method in allowed):
            return None
        refused = ""
        if job.pay:
            meant = read_methods(job.pay, self.world.customer.methods, order)
            fitting = [method for method in meant if method in allowed]
            if len(fitting) == 1:
                job.method_id = fitting[0].method_id
                return None
            refused = tell.method(meant[0]) if meant and not fitting else ""
        if len(allowed) == 1 and not refused:
            job.method_id = allowed[0].method_id
            return None
        job.pay = ""
        if not allowed:
            return Out("order.method.none", {"order": order.order_id}, [("Talk to a human", "talk to a human")])
        self.state.open("method", [method.method_id for method in allowed])
        values: dict[str, str | int] = {
            "order": order.order_id,
            "choices": tell.either([tell.method(method) for method in allowed]),
            "refused": refused,
        }
        act = f"order.method.{'refused' if refused else 'refund' if action == 'return' else 'ask'}"
        return Out(act, values, [(tell.method(method), tell.method(method)) for method in allowed])

    def _confirm(self, operation: Operation, order: Order | None) -> Out | Dropped:
        try:
            proposal = self.service.propose(self.world.customer.customer_id, operation)
        except ForbiddenError as error:
            job = self.state.jobs[0]
            if error.verdict.rule in {"gift_card_covers", "method"} and len(self.world.customer.methods) > 1:
                job.method_id = job.pay = ""
                asked = self._method_again(job, operation, error)
                if asked:
                    return asked
            return Dropped(Out("order.forbidden", {"why": error.verdict.why}, [("Talk to a human", "talk to a human")]))
        self.state.open("confirm")
        self.state.token = proposal.token
        values, facts = tell.proposal(proposal, order, self.world, self.policy)
        replies = [("Yes", "yes"), ("No", "no")]
        return Out(f"order.{operation.action}.confirm", values, replies, facts)

    def _method_again(self, job: Job, operation: Operation, error: ForbiddenError) -> Out | None:
        order = self.world.order(job.order_id)
        if order is None:
            return None
        tried = getattr(operation, "method_id", "")
        rest = [m for m in self.policy.methods(operation.action, self.world.customer, order) if m.method_id != tried]
        if not rest:
            return None
        self.state.open("method", [method.method_id for method in rest])
        choices = tell.either([tell.method(method) for method in rest])
        return Out(
            "order.method.forbidden",
            {"why": error.verdict.why, "choices": choices, "order": order.order_id},
            [(tell.method(m), tell.method(m)) for m in rest],
        )


def after_to(text: str) -> str:
    """Return what stands after "to": the new address. Everything, when there is no "to"."""
    parts = re.split(
        r"(?i)\b(?:to|into|same as)\b(?! (?:change|update|modify|correct|have|get|make|ship|send))", text, maxsplit=1
    )
    return parts[-1] if len(parts) > 1 else text
