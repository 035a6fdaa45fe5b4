"""Who asks: the proofs that the policy takes, asked for one message at a time, with an end to guessing."""

from __future__ import annotations

from collections.abc import Mapping

from chatbot.orders.entities import more_than_proof, read_proof
from chatbot.orders.service import OrderService
from chatbot.orders.state import Out, State

A_DAY = 2  # times the wrong answers of one conversation
_WORDS = {"email": "e-mail address", "first_name": "first name", "last_name": "last name", "postcode": "postcode"}


class Identity:
    """Collects what a customer says about themselves until one proof is complete."""

    def __init__(self, service: OrderService) -> None:
        self._book, self._policy, self._guesses = service.book, service.policy, service.guesses

    def respond(self, state: State, text: str, *, wish: bool = False, conversation_id: str = "") -> list[Out]:
        """Take a message of someone who is not known yet; `wish` says that it was understood to want something.

        One address is tried per message, and each wrong one counts: in the conversation, and for a day against who guesses and
        against whom it is guessed at, in whatever conversation.
        """
        found = read_proof(text, asked=state.asked == "identity")
        if self._blocked(state, conversation_id, found):
            return [Out("order.identify.blocked", {}, [("Talk to a human", "talk to a human")])]
        if len(emails := set(found.get("email", "").lower().split())) > 1:
            self._wrong(state, conversation_id, found, len(emails))
            state.open("identity")
            return [Out("order.identify.one")]
        if wish or not found or more_than_proof(text):  # the wish is taken up once it is clear who asks
            state.waiting.append(text)
        first = state.asked != "identity"
        if first and "email" not in found:  # a name is read more boldly where it turns out to be somebody's
            bold = read_proof(text, asked=True)
            found = bold if self._find(State(proof=bold)) is not None else found
        state.proof.update(found)
        if found:
            customer = self._find(state)
            if customer is not None:
                state.customer_id, state.proof, state.attempts = customer, {}, 0
                state.close()
                return [Out("order.identified", {"name": self._name(customer)})]
            if self._complete(state):
                self._wrong(state, conversation_id, state.proof, 1)
                state.open("identity")
                return [Out("order.identify.unknown", {"proofs": self._proofs()})]
        state.open("identity")
        missing = self._missing(state)
        if state.proof and missing:
            return [Out("order.identify.more", {"missing": missing})]
        return [Out("order.identify.ask" if first else "order.identify.again", {"proofs": self._proofs()})]

    def _blocked(self, state: State, conversation_id: str, proof: Mapping[str, str]) -> bool:
        if state.attempts >= self._policy.most_attempts:
            return True
        guesses = self._guesses
        return guesses is not None and guesses.made(conversation_id, proof) >= A_DAY * self._policy.most_attempts

    def _wrong(self, state: State, conversation_id: str, proof: Mapping[str, str], count: int) -> None:
        state.attempts += count
        if self._guesses is not None:
            self._guesses.wrong(conversation_id, proof, count)

    def ask(self) -> Out:
        """Return the question who it is."""
        return Out("order.identify.again", {"proofs": self._proofs()})

    def _find(self, state: State) -> str | None:
        for proof in self._policy.proofs:
            if not all(name in state.proof for name in proof):
                continue
            if (customer := self._look_up(self._values(state, proof))) is not None:
                return customer
        return None

    def _look_up(self, values: dict[str, str]) -> str | None:
        """Return the customer for whom every part of the proof holds."""
        found = None
        if "email" in values:
            found = self._book.find_by_email(values["email"])
        elif {"first_name", "last_name", "postcode"} <= values.keys():
            found = self._book.find_by_name(values["first_name"], values["last_name"], values["postcode"])
        customer = self._book.customer(found) if found else None
        if customer is None:
            return None
        true = {
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "postcode": customer.address.postcode,
            "email": customer.email,
        }
        return found if all(true[name].lower() == value.lower() for name, value in values.items()) else None

    @staticmethod
    def _values(state: State, proof: tuple[str, ...]) -> dict[str, str]:
        return {name: state.proof[name] for name in proof}

    def _complete(self, state: State) -> bool:
        return any(all(name in state.proof for name in proof) for proof in self._policy.proofs)

    def _missing(self, state: State) -> str:
        """Return what the proof that is nearest to complete still lacks."""
        lacking = [
            [name for name in proof if name not in state.proof]
            for proof in self._policy.proofs
            if set(proof) & set(state.proof)
        ]
        return " and ".join(_WORDS[name] for name in min(lacking, key=len)) if lacking else ""

    def _proofs(self) -> str:
        told = []
        for proof in self._policy.proofs:
            names = [
                "full name" if name == "first_name" and "last_name" in proof else _WORDS[name]
                for name in proof
                if not (name == "last_name" and "first_name" in proof)
            ]
            told.append("your " + " and ".join(names))
        return ", or ".join(told)

    def _name(self, customer_id: str) -> str:
        customer = self._book.customer(customer_id)
        return customer.first_name if customer else ""
