"""Campaigns in figures: simulated before, watched while they run, judged afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api import views
from api.answers import answers
from api.answers_campaigns import CampaignResults, PacingOut, SimulationOut
from api.auth import api_key
from api.errors import ProblemError
from api.routes.campaigns import CampaignPath
from api.routes.deps import ServicesDep, SimulatingDep
from api.schemas_campaigns import SimulationIn
from personalization.coupons.campaign_plan import CampaignPlan, State, experiment_of
from personalization.coupons.planning import planned
from personalization.offers import BudgetState, Campaign
from personalization.said import Fact, Said
from personalization.types import CampaignId, Money
from stores.errors import NotFoundError
from stores.keys import Key
from stores.simulations import Simulation

router = APIRouter(tags=["Campaigns"])
Marketer = Annotated[Key, Depends(api_key("campaigns"))]
AHEAD = 0.15
"""Of the budget, from which on spending is told to be ahead or behind."""


@router.post("/campaigns/{campaign_id}/simulate", summary="Simulate a campaign", **answers(SimulationOut))
def simulate(
    campaign_id: CampaignPath, body: SimulationIn, services: ServicesDep, simulating: SimulatingDep, key: Marketer, response: Response
) -> dict[str, Any]:  # fmt: skip
    """Replay the last weeks' visits against a campaign as it stands. What takes longer is `running`: read it again by its id."""
    stored = services.campaign_plans.get(campaign_id)
    return _told(simulating.begin(stored.plan, stored.version, seed=body.seed))


@router.get(
    "/campaigns/{campaign_id}/simulations/{simulation_id}", summary="Read a simulation", **answers(SimulationOut)
)
def read_simulation(
    campaign_id: CampaignPath, simulation_id: str, services: ServicesDep, key: Marketer
) -> dict[str, Any]:
    """Return how far it is, or what came of it. `newest` is the campaign's newest."""
    now = datetime.now(UTC)
    found = (
        services.simulations.newest(campaign_id, at=now)
        if simulation_id == "newest"
        else services.simulations.get(simulation_id, at=now)
    )
    if found is None or found.campaign_id != campaign_id:
        raise ProblemError(404, "not-found", "There is no such simulation of this campaign; start one.")
    return _told(found)


def _told(one: Simulation) -> dict[str, Any]:
    return {
        "simulation_id": one.simulation_id, "campaign_id": one.campaign_id, "version": one.version, "state": one.state,
        "progress": one.progress, "reason": one.reason, "created_at": one.created_at.isoformat(), "result": one.result,
    }  # fmt: skip


@router.get("/campaigns/{campaign_id}/pacing", summary="Read how a campaign's money goes", **answers(PacingOut))
def pacing(campaign_id: CampaignPath, services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Return what was spent and promised, the price λ and the plan, over time."""
    now, imported = datetime.now(UTC), services.campaigns.campaign(CampaignId(campaign_id))
    plan: CampaignPlan | Campaign
    try:
        found = services.campaign_plans.get(campaign_id)
        plan, standing, drafted = found.plan, found.state, True
    except NotFoundError:
        if imported is None:
            raise
        plan, drafted = imported, False
        standing = State.ENDED if plan.ends_at <= now else State.RUNNING if plan.starts_at <= now else State.APPROVED
    budget = _budget(services.ledger.state(CampaignId(campaign_id)), plan.budget)
    points, state = services.campaign_figures.pacing(campaign_id)
    due = planned(state, plan.budget.minor_units, plan.starts_at, plan.ends_at)
    said = _pace(standing, budget, due(now))
    return {
        "campaign_id": campaign_id, "name": plan.name, "drafted": drafted, "state": standing.value, "currency": plan.budget.currency, "total": budget.total.minor_units,
        "spent": budget.spent.minor_units, "reserved": budget.reserved.minor_units, "price": points[-1].price if points else None,
        "starts_at": plan.starts_at.isoformat(), "ends_at": plan.ends_at.isoformat(), "coupons": services.campaign_figures.coupons(campaign_id),
        "points": [
            {"at": one.at.isoformat(), "price": one.price, "spent": one.spent, "reserved": one.reserved, "planned": due(one.at)}
            for one in points
        ],
        "sentence": said.sentence, "told": said.told(),
    }  # fmt: skip


def _budget(found: BudgetState | None, planned_: Money) -> BudgetState:
    none = Money(0, planned_.currency)
    return found or BudgetState(CampaignId(""), planned_, none, none)


def _pace(state: State, budget: BudgetState, due: float) -> Said:
    if state in {State.DRAFT, State.APPROVED}:
        return Said("pacing.not_launched", "It is not launched yet: nothing is spent.")
    spent, total = budget.spent, budget.total
    facts: dict[str, Fact] = {
        "spent_minor": spent.minor_units, "total_minor": total.minor_units, "available_minor": budget.available.minor_units,
        "planned_minor": round(due), "currency": total.currency,
    }  # fmt: skip
    left = f"{budget.available} of {total} can still be promised."
    if state is State.PAUSED:
        return Said(
            "pacing.paused", f"It is paused: no coupon is given, those that were given stay good. {left}", facts
        )
    if state is State.ENDED:
        return Said("pacing.ended", f"It has ended with {spent} of {total} spent.", facts)
    off = (spent.minor_units - due) / max(total.minor_units, 1)
    pace = "ahead" if off > AHEAD else "behind" if off < -AHEAD else "close"
    words = {"ahead": "ahead of", "behind": "behind", "close": "close to"}[pace]
    sentence = f"{spent} are spent, {words} the {Money(round(due), total.currency)} planned by now. {left}"
    return Said(f"pacing.{pace}", sentence, facts)


@router.get("/campaigns/{campaign_id}/results", summary="Read what came of a campaign", **answers(CampaignResults))
def results(campaign_id: CampaignPath, services: ServicesDep, key: Marketer) -> dict[str, Any]:
    """Return its money, its coupons, and what it added: those who could get one against its holdout, with intervals."""
    from personalization.experiments.analysis import analyse  # noqa: PLC0415  serving starts without it
    from personalization.experiments.conclusion import conclude  # noqa: PLC0415

    found, now = services.campaign_plans.get(campaign_id), datetime.now(UTC)
    budget = _budget(services.ledger.state(CampaignId(campaign_id)), found.plan.budget)
    told: dict[str, Any] = {
        "campaign_id": campaign_id, "state": found.state.value, "spent": views.money(budget.spent), "budget": views.money(budget.total),
        "coupons": services.campaign_figures.coupons(campaign_id), "rungs": services.campaign_figures.rungs(campaign_id),
    }  # fmt: skip
    try:
        stored = services.experiments.get(experiment_of(campaign_id))
    except NotFoundError:
        nothing = (
            Said("campaign.not_launched", "It is not launched yet.")
            if budget.campaign_id == ""
            else Said(
                "campaign.no_holdout", "It has no holdout, so nobody can say what would have happened without it."
            )
        )
        return told | {
            "experiment_id": None, "exposed": {}, "units": {}, "srm_p": None, "lift": None, "conclusion": [nothing.sentence],
            "conclusion_told": [nothing.told()],
        }  # fmt: skip
    analysed = analyse(stored.experiment, services.measured.outcomes(stored.experiment.experiment_id, at=now))
    shown = views.result(analysed)
    said = conclude(
        stored.experiment, analysed, running=stored.status == "running",
        money=lambda minor: str(Money(round(minor), found.plan.budget.currency)),
    )  # fmt: skip
    return told | {
        "experiment_id": stored.experiment.experiment_id, "exposed": services.experiments.counts(stored.experiment.experiment_id),
        "units": shown["units"], "srm_p": shown["srm_p"], "lift": shown["results"][0] if shown["results"] else None,
        "conclusion": [one.sentence for one in said], "conclusion_told": [one.told() for one in said],
    }  # fmt: skip
