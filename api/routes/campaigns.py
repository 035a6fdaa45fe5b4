"""Campaigns: drafted, simulated, approved by a second person, launched, paused, ended, and judged by their holdout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from api import views
from api.answers import answers
from api.answers_campaigns import CampaignChoices, CampaignPlanOut, CampaignPlansPage, ReachOut
from api.auth import api_key
from api.cursors import Cursor, read_cursor, write_cursor
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.schemas_campaigns import AudienceIn, CampaignIn
from api.tags import IfMatch, tag
from api.wiring import Services
from personalization.coupons.campaign_plan import HOLDOUT, MOST_POSTERS, MOVES, AudienceKind, CampaignPlan, Move, State
from personalization.offers import BudgetState
from personalization.types import CampaignId, ProductId
from stores.campaign_plans import Person, StoredPlan
from stores.database import new_id
from stores.keys import Key

router = APIRouter(tags=["Campaigns"])
Marketer = Annotated[Key, Depends(api_key("campaigns"))]
CampaignPath = Annotated[str, Path(max_length=64, examples=["autumn-coffee"])]


def person(key: Key) -> Person:
    """Return who asks."""
    return Person(key.key_id, key.name)


def told(services: Services, one: StoredPlan, key: Key) -> dict[str, Any]:
    """Return a campaign as answers have it."""
    [found] = all_told(services, [one], key)
    return found


def all_told(services: Services, found: Sequence[StoredPlan], key: Key) -> list[dict[str, Any]]:
    """Return campaigns as answers have them, with as many queries as for one."""
    budgets = services.ledger.budgets([CampaignId(one.plan.campaign_id) for one in found])
    lists = [one.plan.campaign_id for one in found if one.plan.audience.kind is AudienceKind.LIST]
    listed, above = services.campaign_plans.all_listed(lists), services.settings.campaign_second_person_minor
    return [
        _told(one, key, budgets.get(CampaignId(one.plan.campaign_id)), listed.get(one.plan.campaign_id, 0), above)
        for one in found
    ]


def _told(one: StoredPlan, key: Key, budget: BudgetState | None, listed: int, above: int) -> dict[str, Any]:
    plan, tree = one.plan, one.plan.tree()
    second = plan.budget.minor_units > above
    return {
        "campaign_id": plan.campaign_id, "name": plan.name, "objective": plan.objective.value, "budget": views.money(plan.budget),
        "audience": tree["audience"] | {"listed": listed},
        "starts_at": tree["starts_at"], "ends_at": tree["ends_at"],
        "ladder": [{"discount_minor": step.discount_minor, "percent": step.percent_bp / 100 or None} for step in plan.ladder],
        "product_ids": list(plan.product_ids), "categories": list(plan.categories), "minimum_basket_minor": plan.minimum_basket,
        "per_member": plan.per_member, "per_household": plan.per_household, "caps": dict(plan.caps),
        "creative_campaign_ids": list(plan.creative_campaign_ids), "holdout": plan.holdout, "state": one.state.value,
        "version": one.version, "author": one.author, "approved_by": one.approved_by, "wants_second_person": second,
        "may_approve": one.state is State.DRAFT and not (second and key.key_id in one.authors),
        "moves": [move.value for move, (since, _) in MOVES.items() if one.state in since],
        "spent": views.money(budget.spent) if budget else None, "reserved": views.money(budget.reserved) if budget else None,
        "created_at": one.created_at.isoformat(), "changed_at": one.changed_at.isoformat(), "history": list(one.history),
    }  # fmt: skip


def _version(if_match: IfMatch) -> int:
    return if_match.version("campaign", "the campaign")


def _listed(services: Services, audience: AudienceIn) -> list[str] | None:
    """Return the members of a list that is sent along, None where the one that there is stays; nothing for another audience."""
    if audience.kind is not AudienceKind.LIST:
        return []
    return None if audience.members is None else services.audiences.known(audience.members)


def _sound(services: Services, plan: CampaignPlan, *, listed: int, posters_for: Sequence[str]) -> CampaignPlan:
    flaws = [(flaw.where, flaw.reason) for flaw in plan.flaws()]
    if plan.audience.kind is AudienceKind.LIST and not listed:
        flaws.append(("audience.members", "None of these are members: send ids or your own keys of members."))
    if plan.audience.kind is AudienceKind.SEGMENT and plan.audience.of not in {
        one.segment_id for one in services.segments.all()
    }:
        flaws.append(("audience", "There is no such segment; choose another one."))
    there = {one.creative_campaign_id: one for one in services.campaign_creatives.of(plan)}
    for name in plan.creative_campaign_ids:
        if name not in there:
            flaws.append(("creative_campaign_ids", f"There is no campaign of posters {name}."))
        elif (other := there[name].taken_by) is not None:
            flaws.append(("creative_campaign_ids", f"{name} runs with the campaign {other}; choose others."))
    known = services.catalogue.products([ProductId(one) for one in posters_for])
    flaws += [("posters_for", f"There is no product {one}.") for one in posters_for if one not in known]
    if len(plan.creative_campaign_ids) + len(posters_for) > MOST_POSTERS:
        flaws.append(("posters_for", f"It has {MOST_POSTERS} campaigns of posters at most."))
    if flaws:
        told_ = [{"where": where, "reason": reason} for where, reason in flaws]
        raise ProblemError(422, "invalid", " ".join(reason for _, reason in flaws), errors=told_)
    return plan


def _answer(services: Services, response: Response, one: StoredPlan, key: Key) -> dict[str, Any]:
    response.headers["ETag"] = tag("campaign", one.version)
    return told(services, one, key)


@router.post("/campaigns", summary="Draft a campaign", **answers(CampaignPlanOut, 201, but=[409]))
def create(body: CampaignIn, services: ServicesDep, key: Marketer, response: Response) -> dict[str, Any]:
    """Store a campaign on paper; nobody sees a coupon of it before it is approved and launched."""
    listed = _listed(services, body.audience) or []
    plan = body.plan(body.campaign_id or new_id(), services.settings.currency)
    plan = _sound(services, plan, listed=len(listed), posters_for=body.posters_for)
    made = services.campaign_plans.create(
        plan, listed, by=person(key), at=datetime.now(UTC), posters_for=body.posters_for
    )
    return _answer(services, response, made, key)


@router.get("/campaigns", summary="List campaigns", **answers(CampaignPlansPage))
def list_campaigns(
    services: ServicesDep, key: Marketer, limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Cursor = None,
) -> dict[str, Any]:  # fmt: skip
    """Return campaigns on paper and what became of them, newest first."""
    found = services.campaign_plans.page(limit=limit + 1, before=read_cursor(cursor))
    more = found[limit - 1] if len(found) > limit else None
    following = write_cursor(more.created_at, more.plan.campaign_id) if more else None
    return {"campaigns": all_told(services, found[:limit], key), "next_cursor": following}


@router.get("/campaign-choices", summary="Read what a campaign can be made of", **answers(CampaignChoices))
def choices(services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Return audiences, categories and limits, for a form."""
    now, settings = datetime.now(UTC), services.settings
    reach = services.audiences.reach(CampaignIn.model_fields["audience"].default.spec(), at=now)
    named = services.cluster_names()
    return {
        "currency": settings.currency, "members": reach.members, "reachable": reach.reachable, "segments": [
            {"segment_id": one.segment_id, "name": one.name, "description": one.description} for one in services.segments.all()
        ],
        "clusters": [
            {"cluster_id": one, "name": named.get(one, (one, ""))[0], "description": named.get(one, ("", ""))[1], "members": size}
            for one, size in sorted(services.audiences.clusters().items(), key=lambda pair: -pair[1])
        ],
        "labels": [
            {"name": name, "values": [{"value": value, "members": n} for value, n in values]}
            for name, values in services.audiences.labels(at=now).items()
        ],
        "categories": services.audiences.categories(), "second_person_above_minor": settings.campaign_second_person_minor, "holdout": HOLDOUT,
    }  # fmt: skip


@router.post("/campaigns/audience", summary="Count an audience", **answers(ReachOut))
def count(body: AudienceIn, services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Return how many members an audience has, and how many of them can get a coupon."""
    listed = _listed(services, body) or []
    reach = services.audiences.reach(body.spec(), at=datetime.now(UTC), listed=listed)
    unknown = services.audiences.unknown(body.members or []) if body.kind is AudienceKind.LIST else []
    return {"members": reach.members, "reachable": reach.reachable, "unknown": unknown[:20]}


@router.get("/campaigns/{campaign_id}", summary="Read a campaign", **answers(CampaignPlanOut))
def read(campaign_id: CampaignPath, services: ServicesDep, key: Marketer, response: Response) -> dict[str, Any]:
    """Return a campaign with an `ETag` to change it by."""
    return _answer(services, response, services.campaign_plans.get(campaign_id), key)


@router.put("/campaigns/{campaign_id}", summary="Change a campaign", **answers(CampaignPlanOut, but=[409, 412, 428]))
def change(
    campaign_id: CampaignPath, body: CampaignIn, services: ServicesDep, key: Marketer, response: Response, if_match: IfMatch
) -> dict[str, Any]:  # fmt: skip
    """Replace a draft, or an approved campaign, which is a draft again then. What runs cannot be changed: pause or end it."""
    version, listed = _version(if_match), _listed(services, body.audience)
    kept = services.campaign_plans.listed(campaign_id) if listed is None else len(listed)
    plan = body.plan(campaign_id, services.settings.currency)
    plan = _sound(services, plan, listed=kept, posters_for=body.posters_for)
    done = services.campaign_plans.change(
        plan, listed, version=version, by=person(key), at=datetime.now(UTC), posters_for=body.posters_for
    )
    return _answer(services, response, done, key)


@router.post(
    "/campaigns/{campaign_id}/approve", summary="Approve a campaign", **answers(CampaignPlanOut, but=[409, 412, 428])
)
def approve(
    campaign_id: CampaignPath, services: ServicesDep, key: Marketer, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Approve a draft. Above `AISLE_CAMPAIGN_SECOND_PERSON_MINOR` nobody who wrote a part of it may."""
    done = services.campaign_plans.approve(
        campaign_id, version=_version(if_match), above=services.settings.campaign_second_person_minor, by=person(key),
        at=datetime.now(UTC),
    )  # fmt: skip
    return _answer(services, response, done, key)


@router.post(
    "/campaigns/{campaign_id}/launch", summary="Launch a campaign", **answers(CampaignPlanOut, but=[409, 412, 428])
)
def launch(
    campaign_id: CampaignPath, services: ServicesDep, key: Marketer, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Serve an approved campaign from its start on, with its posters, to the audience as it is now, all but its holdout."""
    now, version = datetime.now(UTC), _version(if_match)
    plan = services.campaign_plans.get(campaign_id).plan
    everybody = plan.audience.kind is AudienceKind.EVERYBODY
    members = [] if everybody else services.audiences.members(plan.audience, at=now, campaign_id=campaign_id)
    if not everybody and not members:
        raise ProblemError(409, "nobody", "Nobody is in its audience now; choose another audience.")
    done = services.campaign_plans.launch(campaign_id, members, version=version, by=person(key), at=now)
    services.experiments.forget_running()
    return _answer(services, response, done, key)


def _moved(move: Move) -> Callable[..., dict[str, Any]]:
    def act(
        campaign_id: CampaignPath, services: ServicesDep, key: Marketer, response: Response, if_match: IfMatch
    ) -> dict[str, Any]:
        store = services.campaign_plans
        do = {Move.PAUSE: store.pause, Move.RESUME: store.resume, Move.END: store.end}[move]
        done = do(campaign_id, version=_version(if_match), by=person(key), at=datetime.now(UTC))
        services.experiments.forget_running()
        return _answer(services, response, done, key)

    act.__doc__ = {
        Move.PAUSE: "Give no coupon and show none of its posters from this moment on. Coupons that were given stay good.",
        Move.RESUME: "Go on after a pause, with its posters and the money that is left for the time that is left.",
        Move.END: "End it for good, with its posters and what measures it. Coupons that were given stay good until they expire.",
    }[move]
    act.__name__ = move.value
    return act


for _move in (Move.PAUSE, Move.RESUME, Move.END):
    router.post(
        f"/campaigns/{{campaign_id}}/{_move.value}", summary=f"{_move.value.capitalize()} a campaign",
        **answers(CampaignPlanOut, but=[409, 412, 428]),
    )(_moved(_move))  # fmt: skip
