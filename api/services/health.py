"""What needs somebody: models that have drifted, components that fell back, money that runs out, experiments that are lopsided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from api.wiring import Services
from personalization.profiling.drift import CHANGED, SHIFTED
from personalization.said import Fact, Said
from stores.console import RunningBudget

NEARLY, SOON = 0.9, 0.9
FAR_OFF = 0.25
LEAST_RATINGS, DROP = 20, 0.5
SRM = 0.001
FALLBACKS_MATTER = 5


def models(services: Services, *, now: datetime) -> list[dict[str, Any]]:
    """Return the trained artifacts, how old they are, and how far members have moved since."""
    trained = services.artifacts
    if trained is None:
        return [
            _model("all", "none", None, now, None, "broken", Said("model.untrained", "Nothing has been trained: the shop's favourites answer. Run `aisle train`."))
        ]  # fmt: skip
    made = trained.manifest.get("made_at")
    rows = services.figures.latest("drift", until=now.date())
    worst = max(rows, key=lambda row: row.value, default=None)
    drift = None if worst is None else worst.value / 1000
    verdict = (
        "unknown" if drift is None else "changed" if drift > CHANGED else "shifted" if drift > SHIFTED else "steady"
    )
    said = {
        "unknown": "Not measured yet: the worker does so every few hours.",
        "steady": "Members are like those that it was trained on.",
        "shifted": "Members have moved since training; watch it.",
        "changed": "Members are no longer those that it was trained on: train again (`aisle train`).",
    }[verdict]
    facts: dict[str, Fact] = {}
    if worst is not None and verdict != "steady":
        said = f"{said} {worst.part.replace('_', ' ').capitalize()} moved most."
        facts["feature"] = worst.part
    found = [_model("segments", trained.version, made, now, drift, verdict, Said(f"model.{verdict}", said, facts))]
    parts = {
        "ranking": trained.ranking,
        "churn": trained.churn,
        "expected spend": trained.spending,
        "coupons": trained.response,
    }
    for name, part in parts.items():
        broken = trained.broken.get({"expected spend": "spending"}.get(name, name))
        state = "broken" if broken or part is None else "steady"
        says = (
            Said("model.fallback", f"Its fallback answers: {broken}.", {"cause": broken})
            if broken
            else Said("model.too_little", "There was too little history to train it.")
            if part is None
            else Said("model.used", "In use.")
        )
        found.append(_model(name, trained.version, made, now, None, state, says))
    return found


def _model(
    name: str, version: str, made: str | None, now: datetime, drift: float | None, verdict: str, says: Said
) -> dict[str, Any]:
    age = (now - datetime.fromisoformat(made)).days if made else None
    return {
        "name": name, "version": version, "trained_at": made, "age_days": age, "drift": drift, "verdict": verdict, "sentence": says.sentence,
        "told": says.told(),
        "link": "/console/trust?tab=models",
    }  # fmt: skip


def fallbacks(services: Services, *, now: datetime) -> list[dict[str, Any]]:
    """Return what fell back in the decisions of the last hour, and in this process beside them, most often first."""
    found = services.console.fallbacks(at=now)
    for sample in (one for family in services.metrics.fallbacks.collect() for one in family.samples):
        key = (sample.labels.get("component", ""), sample.labels.get("used", ""))
        if sample.name.endswith("_total") and key[0].startswith("labels ") and sample.value:
            found[key] = found.get(key, 0) + int(sample.value)
    return [
        {
            "component": component, "used": used, "count": count, "sentence": f"{component.capitalize()} was answered by {used}.",
            "link": "/console/today#fallbacks",
        }
        for (component, used), count in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    ]  # fmt: skip


def alerts(
    services: Services, running: Sequence[RunningBudget], health: Sequence[Mapping[str, Any]], fallen: Sequence[Mapping[str, Any]], *, now: datetime
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what somebody should look at, the serious first; each names its cause and where it is."""
    found = [
        *_money(running, now), *_models(health), *_fallen(fallen), *_lopsided(services), *_rating(services, now), *_undelivered(services, now),
    ]  # fmt: skip
    return sorted(found, key=lambda one: one["severity"] != "serious")


def _alert(kind: str, said: Said, cause: Said, link: str, *, serious: bool = False) -> dict[str, Any]:
    return {
        "kind": kind,
        "severity": "serious" if serious else "warning",
        "sentence": said.sentence,
        "told": said.told(),
        "cause": cause.sentence,
        "cause_told": cause.told(),
        "link": link,
    }


def _money(running: Sequence[RunningBudget], now: datetime) -> Iterator[dict[str, Any]]:
    for one in running:
        link, elapsed = f"/console/campaigns/money/{one.campaign_id}", one.elapsed(now)
        told = Said(
            "alert.spent", f"{one.spent_share:.0%} is spent and {elapsed:.0%} of its time is over.",
            {"spent": one.spent_share, "elapsed": elapsed},
        )  # fmt: skip
        named: dict[str, Fact] = {"name": one.name}
        if one.promised_share >= NEARLY and elapsed < SOON:
            gone = Said("alert.budget", f"The budget of {one.name} is nearly gone.", named)
            yield _alert("budget", gone, told, link, serious=one.promised_share >= 0.98)
        elif one.spent_share - elapsed > FAR_OFF:
            yield _alert("pace", Said("alert.fast", f"{one.name} spends much faster than planned.", named), told, link)
        elif elapsed - one.spent_share > FAR_OFF and elapsed > 0.3:
            yield _alert("pace", Said("alert.slow", f"{one.name} spends much slower than planned.", named), told, link)


def _models(health: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in health:
        if one["verdict"] in {"changed", "broken"}:
            title = f"The model for {one['name']} " + (
                "no longer fits." if one["verdict"] == "changed" else "does not work."
            )
            said = Said(f"alert.model_{one['verdict']}", title, {"name": one["name"]})
            cause = Said(one["told"]["code"], one["sentence"], one["told"]["facts"])
            yield _alert("drift", said, cause, one["link"], serious=one["verdict"] == "broken")


def _fallen(fallen: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in fallen:
        if one["count"] >= FALLBACKS_MATTER:
            times = f"{one['count']:,} times in the last hour: {one['used']} answered."
            cause = Said("alert.fallback_times", times, {"count": one["count"], "used": one["used"]})
            title = f"{one['component'].capitalize()} does not answer itself."
            yield _alert("fallback", Said("alert.fallback", title, {"component": one["component"]}), cause, one["link"])


def _lopsided(services: Services) -> Iterator[dict[str, Any]]:
    from scipy.stats import chisquare  # noqa: PLC0415  serving starts without it

    for experiment in services.experiments.running():
        counts = services.experiments.counts(experiment.experiment_id)
        total = sum(counts.values())
        if total < 100:
            continue
        had = [counts.get(arm.name, 0) for arm in experiment.arms]
        p = float(chisquare(had, [arm.share * total for arm in experiment.arms]).pvalue)
        if p < SRM:
            link = f"/console/experiments/{experiment.experiment_id}"
            sizes = [f"{arm.name} {n:,}" for arm, n in zip(experiment.arms, had, strict=True)]
            cause = Said("alert.exposed", f"Exposed: {', '.join(sizes)} (p = {p:.1g}).", {"sizes": sizes, "p": p})
            title = f"The arms of {experiment.experiment_id} are not as large as planned."
            said = Said("alert.lopsided", title, {"experiment": experiment.experiment_id})
            yield _alert("sample_ratio", said, cause, link, serious=True)


def _rating(services: Services, now: datetime) -> Iterator[dict[str, Any]]:
    today = now.date()
    week, month = today - timedelta(days=6), today - timedelta(days=34)
    sums = {True: [0, 0], False: [0, 0]}
    for row in services.figures.read({"ratings", "ratings_sum"}, month, today):
        sums[row.day >= week][row.name == "ratings_sum"] += row.value
    (n, total), (n_before, total_before) = sums[True], sums[False]
    if min(n, n_before) >= LEAST_RATINGS and total_before / n_before - total / n >= DROP:
        now_, before = total / n, total_before / n_before
        told = f"{now_:.1f} of 5 in the last 7 days, {before:.1f} in the 4 weeks before."
        cause = Said("alert.ratings", told, {"now": now_, "before": before})
        yield _alert("rating", Said("alert.rating", "Shoppers rate the help worse."), cause, "/console/inbox")


def _undelivered(services: Services, now: datetime) -> Iterator[dict[str, Any]]:
    dead = services.console.dead_letters(since=now - timedelta(days=1))
    if dead:
        said = Said("alert.undelivered", "Another system did not take what it was told.")
        cause = Said("alert.given_up", f"{dead:,} deliveries were given up in the last 24 hours.", {"count": dead})
        yield _alert("webhooks", said, cause, "/console/trust?tab=jobs#undelivered", serious=True)
