"""Who lets a variant be shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from personalization.creative.approval import (
    POLICY,
    ApprovalError,
    Mode,
    State,
    Step,
    approved,
    approver,
    check,
    family_steps,
    first_steps,
    states,
)
from personalization.creative.variants import Variant

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ONE = Variant("one", {"layout": "wide", "type": "plain", "scheme": "warm", "motion": "still"})
SISTER = Variant("sister", {"layout": "wide", "type": "plain", "scheme": "warm", "motion": "drift"})
OTHER = Variant("other", {"layout": "tall", "type": "plain", "scheme": "warm"})
ALL = [ONE, SISTER, OTHER]


def step(subject: str, state: State, by: str = "mia", *, of_family: bool = False) -> Step:
    return Step("spring", subject, of_family, state, by, NOW)


@pytest.mark.parametrize(
    ("mode", "shown"), [(Mode.EACH, set()), (Mode.FAMILY, set()), (Mode.AUTOMATIC, {"one", "sister", "other"})]
)
def test_only_an_automatic_campaign_shows_what_nobody_looked_at(mode: Mode, shown: set[str]) -> None:
    assert approved(first_steps(mode, "spring", ALL, [], by="studio", at=NOW)) == shown


def test_a_family_is_approved_at_once_and_its_later_members_follow() -> None:
    history = first_steps(Mode.FAMILY, "spring", [ONE, OTHER], [], by="studio", at=NOW)
    history += family_steps(step(ONE.family, State.APPROVED, of_family=True), [ONE, OTHER], history)
    assert approved(history) == {"one"}
    history += first_steps(Mode.FAMILY, "spring", ALL, history, by="studio", at=NOW)
    assert approved(history) == {"one", "sister"}
    assert next(line.note for line in history if line.subject == "sister" and line.by == POLICY).endswith("by mia")


def test_what_a_person_said_of_a_variant_outlasts_what_is_said_of_its_family() -> None:
    history = first_steps(Mode.FAMILY, "spring", ALL, [], by="studio", at=NOW)
    history.append(step("one", State.REJECTED))
    history += family_steps(step(ONE.family, State.APPROVED, of_family=True), ALL, history)
    assert states(history) == {"one": State.REJECTED, "sister": State.APPROVED, "other": State.PROPOSED}


def test_what_was_retired_stays_retired_when_its_family_is_approved_again() -> None:
    history = first_steps(Mode.AUTOMATIC, "spring", ALL, [], by="studio", at=NOW)
    history.append(step("one", State.RETIRED, POLICY))
    history += family_steps(step(ONE.family, State.APPROVED, of_family=True), ALL, history)
    assert states(history)["one"] is State.RETIRED


def test_proposing_again_changes_nothing() -> None:
    history = first_steps(Mode.AUTOMATIC, "spring", ALL, [], by="studio", at=NOW)
    assert first_steps(Mode.AUTOMATIC, "spring", ALL, history, by="studio", at=NOW) == []


@pytest.mark.parametrize(("before", "after"), [
    (None, State.APPROVED), (State.PROPOSED, State.RETIRED), (State.RETIRED, State.REJECTED), (State.APPROVED, State.APPROVED),
])  # fmt: skip
def test_a_step_that_cannot_follow_is_refused_and_told_what_can(before: State | None, after: State) -> None:
    with pytest.raises(ApprovalError, match="can become"):
        check(before, step("one", after))


def test_nobody_decides_without_a_name() -> None:
    with pytest.raises(ApprovalError, match="who decided"):
        check(State.PROPOSED, step("one", State.APPROVED, " "))


def test_who_approved_a_variant_is_the_person_behind_the_policy() -> None:
    proposed = step("v", State.PROPOSED, "studio")
    assert approver([proposed]) == ""
    assert approver([proposed, step("v", State.APPROVED, POLICY)]) == POLICY
    by_family = [step("f", State.APPROVED, "mia", of_family=True), proposed, step("v", State.APPROVED, POLICY)]
    assert approver(by_family) == "mia"
    assert approver([*by_family, step("v", State.REJECTED, "ben"), step("v", State.APPROVED, "ben")]) == "ben"
