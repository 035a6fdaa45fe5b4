"""From what was named to pieces of orders: one job for each order, or the question which one is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.orders.options import read_options
from chatbot.orders.policy import Policy
from chatbot.orders.state import Job, Pick, State, Todo
from chatbot.orders.world import Line, World
from personalization.orders import Order

ACTIONS = {
    "cancel": ("cancel",), "return": ("return",), "swap": ("change_items", "exchange"), "address": ("change_address",), "payment": ("change_payment",),
    "account": ("change_account_address",), "undo": (),
}  # fmt: skip
_HINTS = (
    (re.compile(r"(?i)\b(?:received|delivered|arrived|got|already have)\b"), "delivered"),
    (re.compile(r"(?i)\b(?:pending|just (?:ordered|placed)|not (?:been )?(?:sent|shipped|delivered))\b"), "pending"),
)
_DEARER = re.compile(r"(?i)\b(?:more|most) expensive\b|\bpricier\b|\bpriciest\b")
_CHEAPER = re.compile(r"(?i)\bless expensive\b|\bcheape(?:r|st)\b|\bleast expensive\b")
_BOTH = re.compile(r"(?i)\b(?:both|all(?: of them| two| three)?|each|every one|the two|two)\b")
_ORDINAL = re.compile(r"(?i)^\W*(?:(?:the |number |no\.? |option |item )*)(first|second|third|fourth|fifth|last|[1-9])(?:st|nd|rd|th)?(?: one| option| order)?\W*$|\bthe (first|second|third|fourth|fifth|last)(?: one| option| order)?\b|\boption ([1-9])\b")  # fmt: skip
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4}


def ordinal(text: str, count: int) -> int | None:
    """Return the place (from 0) of the choice that a message points at ("2", "the second one", "the last")."""
    match = _ORDINAL.search(text)
    if match is None:
        return None
    said = next(group for group in match.groups() if group).lower()
    at = count - 1 if said == "last" else _PLACES[said] if said in _PLACES else int(said) - 1
    return at if 0 <= at < count else None


def feasible(job: Job, order: Order, policy: Policy) -> bool:
    """Whether the policy lets this wish begin on the order."""
    return any(policy.may_start(action, order).allowed for action in ACTIONS[job.wish])


def action_for(job: Job, order: Order, policy: Policy) -> str:
    """Return the action of the policy that a wish means for an order in its status: what is not sent is changed, not exchanged."""
    names = ACTIONS[job.wish]
    return next((name for name in names if policy.may_start(name, order).allowed), names[-1])


def candidates(todo: Todo, job: Job, world: World, policy: Policy, taken: Sequence[tuple[str, int]]) -> list[Line]:
    """Return the pieces that something named may be, the impossible ones last resort."""
    lines = [
        line
        for line in world.lines
        if line[2].product_id in todo.product_ids and (line[0].order_id, line[1]) not in taken
    ]
    if job.named:
        lines = [line for line in lines if line[0].order_id in job.named] or lines
    possible = [line for line in lines if feasible(job, line[0], policy)]
    lines = possible or lines
    for pattern, status in _HINTS:
        if pattern.search(todo.old) and (hinted := [line for line in lines if line[0].status == status]):
            lines = hinted
    return narrowed(lines, todo.old, world)


def narrowed(lines: list[Line], text: str, world: World) -> list[Line]:
    """Keep the pieces that a description fits: option values, the more expensive one, both."""
    for pattern, sign in ((_DEARER, -1), (_CHEAPER, 1)):
        if pattern.search(text) and len(lines) > 1:
            return sorted(lines, key=lambda line: sign * line[2].price.minor_units)[:1]
    fitting = []
    for line in lines:
        said = read_options(text, world.variants(line[2].product_id), line[2].options).values
        if all(line[2].options.get(name) in values for name, values in said.items()):
            fitting.append(line)
    return fitting or lines


def by_order(job: Job, lines: Sequence[tuple[Line, str]]) -> list[Job]:
    """Return one job for each order that the pieces are in; each piece with the words for what it is to become."""
    jobs: dict[str, Job] = {}
    for (order, ref, _), ask in lines:
        one = jobs.setdefault(
            order.order_id,
            Job(
                job.wish,
                order.order_id,
                job.text,
                method_id=job.method_id,
                pay=job.pay,
                reason=job.reason,
                whole=job.whole,
            ),
        )
        if all(pick.ref != ref for pick in one.picks):
            one.picks.append(Pick(ref, ask))
    return list(jobs.values())


def everything(job: Job, world: World, policy: Policy) -> list[tuple[Line, str]]:
    """Return all pieces that the wish can be about, without what is to be kept."""
    keep = {product_id for todo in job.todo if todo.old == "keep" for product_id in todo.product_ids}
    lines = [line for line in world.lines if feasible(job, line[0], policy)]
    if job.named:
        lines = [line for line in world.lines if line[0].order_id in job.named]
    for pattern, status in _HINTS:
        if pattern.search(job.text) and (hinted := [line for line in lines if line[0].status == status]):
            lines = hinted
    kept_in = [line for line in world.lines if line[2].product_id in keep and feasible(job, line[0], policy)]
    if kept_in and re.search(
        r"(?i)\b(?:in it|of it|that order|this order|the order|just (?:bought|received|ordered))\b", job.text
    ):
        lines = [line for line in lines if line[0].order_id == kept_in[0][0].order_id]
    return [(line, job.text) for line in lines if line[2].product_id not in keep]


def means_all(text: str) -> bool:
    """Whether an answer takes all of what was offered."""
    return bool(_BOTH.search(text))


def arrange(state: State, policy: Policy) -> None:
    """Join jobs on the same order, and put what closes an order behind the other changes of it."""
    joined: list[Job] = []
    for job in state.jobs:
        same = next(
            (
                j
                for j in joined
                if j.order_id and (j.wish, j.order_id) == (job.wish, job.order_id) and not j.todo and not job.todo
            ),
            None,
        )
        if same is None:
            joined.append(job)
            continue
        refs = {pick.ref: pick for pick in same.picks}
        for pick in job.picks:
            if pick.ref in refs:
                refs[pick.ref].ask, refs[pick.ref].new_item = pick.ask or refs[pick.ref].ask, pick.new_item
            else:
                same.picks.append(pick)
        same.pay, same.address, same.reason = (
            job.pay or same.pay,
            job.address or same.address,
            job.reason or same.reason,
        )
        same.whole = same.whole or job.whole
    closing = [job for job in joined if job.order_id and job.wish in {"swap", "return"}]
    for job in closing:
        later = [
            other
            for other in joined[joined.index(job) + 1 :]
            if other.wish in {"address", "payment"} and other.order_id in {job.order_id, ""}
        ]
        if later:
            joined.remove(job)
            joined.insert(joined.index(later[-1]) + 1, job)
    state.jobs = joined
