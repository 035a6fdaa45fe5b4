"""Who lets a variant be shown: a queue for people, by a policy per campaign, as an append-only history.

A variant is proposed, then approved or rejected, by a person or by the policy; what was approved may be retired. With `family` a
person decides for all variants of a look, later ones included; what a person decided about one variant counts more than what they
decided about its family.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from personalization.creative.variants import Variant

POLICY = "policy"  # who decides where no person has to


class Mode(StrEnum):
    """What a campaign wants a person to approve."""

    EACH = "each"
    FAMILY = "family"
    AUTOMATIC = "automatic"


class State(StrEnum):
    """Where a variant stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETIRED = "retired"


class ApprovalError(ValueError):
    """The step is not possible from where the variant stands; the message says which are."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history: what became of a variant or a family, by whom, when and why. Lines are only added."""

    campaign_id: str
    subject: str
    of_family: bool
    state: State
    by: str
    at: datetime
    note: str = ""


_NEXT = {
    None: {State.PROPOSED},
    State.PROPOSED: {State.APPROVED, State.REJECTED},
    State.APPROVED: {State.RETIRED, State.REJECTED},
    State.REJECTED: {State.APPROVED},
    State.RETIRED: {State.APPROVED},
}


def check(before: State | None, step: Step) -> None:
    """Raise ApprovalError unless the step can follow. A family needs no proposal; a person's name is needed for a decision."""
    if not step.by.strip():
        raise ApprovalError("a step needs a name: who decided?")
    if step.of_family:
        if step.state not in {State.APPROVED, State.REJECTED}:
            raise ApprovalError("a family can be approved or rejected")
    elif step.state not in _NEXT[before]:
        possible = ", ".join(sorted(_NEXT[before]))
        raise ApprovalError(f"{step.subject} is {before or 'not known'}; it can become: {possible}")


def first_steps(
    mode: Mode, campaign_id: str, variants: Iterable[Variant], history: Sequence[Step], *, by: str, at: datetime
) -> list[Step]:
    """Return the lines that propose the variants that are new, and approve those that the policy lets pass."""
    known, families = _latest(history)
    found = []
    for variant in variants:
        if variant.variant_id in known:
            continue
        found.append(Step(campaign_id, variant.variant_id, False, State.PROPOSED, by, at))
        if mode is Mode.AUTOMATIC:
            found.append(Step(campaign_id, variant.variant_id, False, State.APPROVED, POLICY, at, "automatic"))
        elif mode is Mode.FAMILY and (family := families.get(variant.family)) is not None:
            note = f"as its family {variant.family}, by {family.by}"
            found.append(Step(campaign_id, variant.variant_id, False, family.state, POLICY, at, note))
    return found


def family_steps(decision: Step, variants: Iterable[Variant], history: Sequence[Step]) -> list[Step]:
    """Return what a decision about a family does to its variants: those that no person decided about by name follow it."""
    known, _ = _latest(history)
    found = [decision]
    for variant in variants:
        step = known.get(variant.variant_id)
        if step is None or variant.family != decision.subject or step.state in {decision.state, State.RETIRED}:
            continue
        if step.state is State.PROPOSED or step.by == POLICY:
            note = f"as its family {decision.subject}, by {decision.by}"
            found.append(
                Step(decision.campaign_id, variant.variant_id, False, decision.state, POLICY, decision.at, note)
            )
    return found


def states(history: Iterable[Step]) -> dict[str, State]:
    """Return where each variant stands after all lines."""
    return {name: step.state for name, step in _latest(history)[0].items()}


def approved(history: Iterable[Step]) -> frozenset[str]:
    """Return the variants that may be shown."""
    return frozenset(name for name, state in states(history).items() if state is State.APPROVED)


def _latest(history: Iterable[Step]) -> tuple[dict[str, Step], dict[str, Step]]:
    """Return the last line of each variant and of each family."""
    variants: dict[str, Step] = {}
    families: dict[str, Step] = {}
    for step in history:
        (families if step.of_family else variants)[step.subject] = step
    return variants, families


def approver(steps: Sequence[Step]) -> str:
    """Return who approved a variant last, from the lines about it and its family, oldest first; "" for nobody.

    Where the policy followed what a person said of the family, it is that person.
    """
    approved = [step for step in steps if step.state is State.APPROVED]
    own = [step.by for step in approved if not step.of_family]
    families = [step.by for step in approved if step.of_family]
    if not own:
        return ""
    return families[-1] if own[-1] == POLICY and families else own[-1]
