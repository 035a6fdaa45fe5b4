"""The dialogue about orders: finds out who asks, takes wishes and details as they come, and changes nothing without a yes."""

from __future__ import annotations

import re

import msgspec

from chatbot.orders import tell
from chatbot.orders.answers import Answers
from chatbot.orders.assent import drops, says_no, says_yes
from chatbot.orders.entities import read_orders
from chatbot.orders.finding import Dropped
from chatbot.orders.identity import Identity
from chatbot.orders.lookups import Lookups
from chatbot.orders.policy import load_policy
from chatbot.orders.resolve import arrange
from chatbot.orders.service import ForbiddenError, OrderService, OutdatedError
from chatbot.orders.state import Job, Out, State
from chatbot.orders.steps import Steps
from chatbot.orders.wishes import read_wishes, wishes_as
from chatbot.orders.world import World
from personalization.orders import Address, OrderBook

HUMAN = ("Talk to a human", "talk to a human")
MOST_STEPS = 40
MOST_MISSES = 2
_FIRST_SENTENCE = re.compile(r"(?<=[.!;])\s+|,\s+(?=and |also |but )")
_LEAVES_OPEN = re.compile(
    r"(?i)\b(?:but|instead|actually|wait|hold on|maybe|perhaps|let me think|later|tomorrow)\b|\bnot (?:sure|yet|now)\b|\bunsure\b|\bdo(?:n'?t| not) (?:know|think)\b"
)
_MORE = re.compile(r"(?i)\b(?:also|too|as well|add|first)\b")
_WISHES = {
    "order_cancel": "cancel", "order_return": "return", "order_exchange": "swap", "order_change_items": "swap", "order_change_address": "address",
    "order_change_payment": "payment", "change_address": "account",
}  # fmt: skip
ORDER_INTENTS = frozenset(_WISHES) | {"order_status", "order_history"}


class OrderFlow:
    """One turn at a time: `respond` reads a message, moves the state on, and returns what to say."""

    def __init__(self, book: OrderBook, service: OrderService | None = None) -> None:
        self.service = service or OrderService(book, load_policy())
        self.book = book

    def respond(
        self, state: State, text: str, *, intent: str = "", signed_in: str = "", conversation_id: str = ""
    ) -> list[Out]:
        """Return what is said to a message; `signed_in` is the customer that the shop's own login names."""
        if not state.customer_id and signed_in and self.service.policy.signed_in_is_enough:
            state.customer_id = signed_in
        said: list[Out] = []
        if not state.customer_id:
            state.intent = intent if intent in ORDER_INTENTS else state.intent
            said = Identity(self.service).respond(
                state, text, wish=intent in ORDER_INTENTS, conversation_id=conversation_id
            )
            if not state.customer_id:
                return said
            text, intent = "\n".join(state.waiting), state.intent or intent
            state.waiting, state.intent = [], ""
            if not text.strip():
                return [*said, Out("order.ready")]
        turn = _Turn(self, state, conversation_id)
        return said + turn.take(text, intent)

    def give_up(self, state: State) -> list[Out]:
        """Let go of everything that is not done, and of the open question."""
        state.jobs, state.waiting, state.intent, state.proof = [], [], "", {}
        state.close()
        return [Out("order.dropped")]

    def remind(self, state: State) -> list[Out]:
        """Return the open question again, after something else was answered."""
        if not state.customer_id or not state.jobs:
            return [Identity(self.service).ask()] if state.waiting and not state.customer_id else []
        return _Turn(self, state, "").advance()


class _Turn:
    """One message of a customer who is known."""

    def __init__(self, flow: OrderFlow, state: State, conversation_id: str) -> None:
        self.flow, self.state, self.conversation_id = flow, state, conversation_id
        self.service = flow.service
        self.said: list[Out] = []
        self.refresh()

    def refresh(self) -> None:
        """Look at the orders anew."""
        customer = self.flow.book.customer(self.state.customer_id)
        if customer is None:
            raise LookupError("the customer of this conversation is gone")
        self.world = World(self.flow.book, customer)
        self.steps = Steps(self.service, self.world, self.state)

    def take(self, text: str, intent: str) -> list[Out]:
        """Read a message, and go on as far as it carries."""
        state = self.state
        job = state.jobs[0] if state.jobs else None
        wishes = read_wishes(text, self.world)
        if state.asked == "confirm" and job is not None:
            rest = self._confirmed(text, wishes)
            if rest is not None:
                return self.take(rest, "") if rest.strip() else self.advance()
        if job is not None and state.asked == "confirm" and says_no(text) and wishes and not _MORE.search(text):
            if not Answers(self.world, self.steps, state).read(job, text, [w for w in wishes if w.wish != job.wish]):
                state.jobs[0:1] = wishes  # "no, I want ...": that takes its place
            state.close()
            return self.advance()
        if job is not None and state.asked:
            answered = Answers(self.world, self.steps, state).read(job, text, wishes)
            if answered == "dropped":
                state.jobs.pop(0)
                state.close()
                self.said.append(Out("order.dropped"))
                return self.take_more(text, wishes)
            if answered:
                state.close()
                return self.take_more(
                    text, [wish for wish in wishes if wish.wish != job.wish] if answered == "details" else []
                )
        return self._new(text, wishes, intent)

    def take_more(self, text: str, wishes: list[Job]) -> list[Out]:
        """Queue what else a message wants, answer what it asks, and go on."""
        self._queue(wishes)
        return self.advance()

    def _new(self, text: str, wishes: list[Job], intent: str) -> list[Out]:
        state = self.state
        if not wishes and intent in _WISHES and not state.asked:
            wishes = wishes_as(_WISHES[intent], text, self.world)
        lookups = Lookups(self.service, self.world, state)
        if state.asked == "confirm" and not wishes and not state.refunds and lookups.asks_back(text):
            return self.advance()  # the proposal itself says how much
        told = lookups.answer(text, intent)
        self.said += told
        if wishes or told:
            if (
                wishes
                and state.jobs
                and state.asked
                and state.jobs[0].wish == wishes[0].wish
                and not state.jobs[0].order_id
            ):
                state.jobs.pop(0)  # said anew, with more detail
            self._queue(wishes)
            state.close()
            if wishes or state.jobs:
                return self.advance()
            return self.said
        return self._unclear(text)

    def _unclear(self, text: str) -> list[Out]:
        """Answer what holds neither a wish, nor a question, nor an answer: an order's number perhaps."""
        state = self.state
        own, strange = read_orders(text, self.world.orders)
        if strange:
            self.said.append(Out("order.unknown_order", {"order": strange[0]}))
            return self.advance() if state.jobs else self.said
        if not state.jobs:
            return [*self.said, *self._idle(text, named=bool(own))]
        if own == [state.jobs[0].order_id]:  # which order it is was clear
            return self.advance()
        state.missed += 1
        missed = state.missed
        self.said.append(
            Out("order.unclear.human" if missed > MOST_MISSES else "order.unclear", {}, [HUMAN] if missed > 1 else [])
        )
        self.advance()
        state.missed = missed
        return self.said

    def _idle(self, text: str, *, named: bool) -> list[Out]:
        if named:  # an order, and no word of what it is about
            return Lookups(self.service, self.world, self.state).answer(text, "order_status")
        if drops(text) or says_no(text) or says_yes(text):
            return [Out("order.ready")]
        return [Out("order.unclear.start", {}, [HUMAN])]

    def _queue(self, wishes: list[Job]) -> None:
        self.state.jobs.extend(wishes)

    def _confirmed(self, text: str, wishes: list[Job]) -> str | None:
        """Make the change when the message says yes; return the rest of the message, None when it says something else."""
        head, *tail = _FIRST_SENTENCE.split(text, maxsplit=1)
        job = self.state.jobs[0]
        others = [wish for wish in wishes if wish.wish != job.wish]
        if not others and (says_yes(text) or (not self._amends(text, job) and says_yes(text, self._about(job)))):
            rest = ""
        elif tail and says_yes(head) and not self._touches(tail[0], job):
            rest = tail[0]
        else:
            return None
        self._commit(job)
        return rest

    def _amends(self, text: str, job: Job) -> bool:
        """Whether a message would make the proposal another one; the job itself stays as it is."""
        trial = msgspec.convert(msgspec.to_builtins(job), Job)
        return bool(Answers(self.world, self.steps, self.state).read(trial, text, [])) and trial != job

    def _about(self, job: Job) -> list[str]:
        """Return how a shopper may name what is proposed, beside a yes."""
        found = [job.order_id, job.order_id.lstrip("#"), re.sub(r"\D", "", job.order_id), job.reason]
        if job.address:
            found += [
                job.address["line1"],
                job.address["city"],
                job.address["region"],
                job.address["postcode"],
                str(Address(**job.address)),
            ]
        if job.method_id and (paid := self.world.customer.method(job.method_id)):
            found += [paid.label, paid.label.partition(" ")[0], paid.kind.replace("_", " "), tell.method(paid)]
        order = self.world.order(job.order_id)
        names = {order.items[pick.ref].name for pick in job.picks} if order else set()
        return found + [form for name in names if len(names) == 1 for form in (name, name.split()[-1])]

    def _touches(self, text: str, job: Job) -> bool:
        """Whether words after a yes leave it open: they amend the change, ask, doubt, or are neither thanks nor another wish."""
        wishes = read_wishes(text, self.world)
        if not wishes or _LEAVES_OPEN.search(text):
            return True
        return any(wish.wish == job.wish and not wish.named for wish in wishes)

    def _commit(self, job: Job) -> None:
        """Make the confirmed change; what changed meanwhile is proposed again."""
        state, token = self.state, self.state.token
        step = self.steps.next(job)
        facts = step.facts if isinstance(step, Out) else None
        if facts is None or state.token != token:
            self.said.append(Out("order.outdated"))
            return
        operation = tell.operation(facts)
        try:
            change = self.service.confirm(state.customer_id, operation, token, conversation_id=self.conversation_id)
        except (ForbiddenError, OutdatedError):
            self.said.append(Out("order.outdated"))
            return
        values = dict(step.values) if isinstance(step, Out) else {}
        state.refunds.append([operation.action, operation.order_id or "", str(change.details.get("amount", 0))])
        state.jobs.pop(0)
        state.close()
        self.refresh()
        self.said.append(Out(f"order.{operation.action}.done", values, facts=facts))

    def advance(self) -> list[Out]:
        """Go on with the jobs until a question is open or nothing is left."""
        state = self.state
        for _ in range(MOST_STEPS):
            arrange(state, self.service.policy)
            if not state.jobs:
                state.close()
                if self.said and not self.said[-1].act.startswith(("order.told", "order.forbidden")):
                    self.said.append(Out("order.anything_else"))
                return self.said
            if self._conflict():
                return self.said
            step = self.steps.next(state.jobs[0])
            self.said += self.steps.notes
            self.steps.notes = []
            if isinstance(step, list):
                state.jobs[0:1] = step
            elif isinstance(step, Dropped):
                self.said.append(step.out)
                if step.instead is not None:
                    state.jobs[0] = step.instead
                    return self.said
                state.jobs.pop(0)
            elif step.act != "order.again":
                self.said.append(step)
                return self.said
        raise RuntimeError("the conversation about orders does not come to a question")

    def _conflict(self) -> bool:
        """Ask which one, when two wishes for one order exclude each other."""
        state = self.state
        job = state.jobs[0]
        other = next(
            (
                j
                for j in state.jobs[1:]
                if job.order_id
                and j.order_id == job.order_id
                and {j.wish, job.wish} in ({"return", "swap"}, {"cancel", "swap"})
            ),
            None,
        )
        if other is None or job.wish == other.wish:
            return False
        state.open("conflict", [job.wish, other.wish])
        amounts = [self._worth(one) for one in (job, other)]
        values: dict[str, str | int] = {
            "order": job.order_id,
            "first": tell.verb(job.wish),
            "second": tell.verb(other.wish),
            "amounts": "; ".join(a for a in amounts if a),
        }
        self.said.append(
            Out(
                "order.conflict",
                values,
                [(tell.verb(job.wish).capitalize(), job.wish), (tell.verb(other.wish).capitalize(), other.wish)],
            )
        )
        return True

    def _worth(self, job: Job) -> str:
        """Return what a job would bring, as far as that is clear already."""
        trial = State(customer_id=self.state.customer_id, jobs=[job])
        copy = Job(
            job.wish, job.order_id, job.text, picks=[*job.picks], whole=True, reason=self.service.policy.reasons()[0]
        )
        order = self.world.order(job.order_id)
        if order is None:
            return ""
        action = {"return": "return", "cancel": "cancel"}.get(job.wish, "exchange")
        methods = self.service.policy.methods(action, self.world.customer, order)
        copy.method_id = methods[0].method_id if methods else ""
        step = Steps(self.service, self.world, trial).next(copy)
        if not isinstance(step, Out) or step.facts is None:
            return ""
        return f"{tell.verb(job.wish)}: {step.values['amount']}"
