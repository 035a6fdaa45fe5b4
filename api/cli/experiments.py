"""Commands about experiments: draft, start, end, read, and try the whole of it in a simulator."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.settings import settings

if TYPE_CHECKING:
    from personalization.experiments.analysis import Result
    from personalization.experiments.spec import Experiment
    from stores.experiments import SqlExperiments

experiment = typer.Typer(
    no_args_is_help=True,
    help="Experiments: who gets which arm, and what came of it. docs/experiments.md explains the file, the metrics and how to read results.",
)
Id = Annotated[str, typer.Argument(help="The experiment's id.")]


@experiment.command()
def create(
    file: Annotated[Path, typer.Argument(help="A YAML file: experiment_id, hypothesis, arms, metric, guardrails, traffic, window_days.")],
) -> None:  # fmt: skip
    """Store a draft from a file. It cannot be changed afterwards; `aisle experiment start` lets it run."""
    import yaml

    try:
        given = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"aisle: {file} cannot be read ({error})")
    except yaml.YAMLError as error:
        sys.exit(f"aisle: {file} is not YAML: {' '.join(str(error).split())}")
    stored = _store().create(_parsed(given, file), at=datetime.now(UTC))
    print(
        f"{stored.experiment.experiment_id} is drafted; `aisle experiment start {stored.experiment.experiment_id}` lets it run"
    )


@experiment.command()
def start(experiment_id: Id) -> None:
    """Let a draft run: decisions follow the arms from now on."""
    _store().start(experiment_id, at=datetime.now(UTC))
    print(f"{experiment_id} runs")


@experiment.command()
def end(experiment_id: Id) -> None:
    """End a running experiment: everybody is treated alike again."""
    _store().end(experiment_id, at=datetime.now(UTC))
    print(f"{experiment_id} has ended; `aisle experiment report {experiment_id}` reads it")


@experiment.command("list")
def list_() -> None:
    """List experiments, newest first."""
    for stored in _store().all():
        arms = " / ".join(f"{arm.name} {arm.share:.0%}" for arm in stored.experiment.arms)
        print(f"{stored.experiment.experiment_id}  {stored.status:<8} {arms}  {stored.experiment.hypothesis}")


@experiment.command()
def report(experiment_id: Id) -> None:
    """Print what came of an experiment so far: sizes, sample ratio, effects, guardrails, verdict."""
    from personalization.experiments.analysis import analyse

    store, now = _store(), datetime.now(UTC)
    stored = store.get(experiment_id)
    units = store.outcomes(experiment_id, at=now)
    exposed = sum(store.counts(experiment_id).values())
    print(f"{experiment_id} ({stored.status}): {stored.experiment.hypothesis}")
    print(
        f"{exposed:,} units exposed, {units.height:,} of them with a window of {stored.experiment.window_days} days behind them"
    )
    _tell(analyse(stored.experiment, units))


@experiment.command()
def simulate(
    members: Annotated[int, typer.Option(min=1_000, help="Generated members.")] = 40_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same experiment.")] = 7,
    effect: Annotated[float, typer.Option(min=0, max=10, help="How strongly members answer; 0 is an A/A test.")] = 1.0,
    model: Annotated[Path | None, typer.Option(help="The fitted shop of `aisle synth fit`.")] = None,
) -> None:
    """Try a profile-driven push against a uniform one among members generated from the fitted shop (2.5 s for 1,000)."""
    from api.cli.data import steps
    from api.cli.synth import load_shop
    from personalization.experiments.simulator import EXPERIMENT
    from personalization.experiments.simulator import simulate as run

    shop = load_shop(model)
    bar, move = steps()
    with bar:
        found = run(
            shop,
            members=members,
            seed=seed,
            effect=effect,
            progress=lambda done, total: move("generating and pushing", done, total),
        )
    print(EXPERIMENT.hypothesis)
    _tell(found.result)


def uplift(
    experiment_id: Annotated[
        str, typer.Argument(help="An experiment whose windows have passed; its first arm is the control.")
    ],
    outcome: Annotated[
        str, typer.Option(help="The metric that actions are to raise; the experiment's own without it.")
    ] = "",
    cost: Annotated[
        list[str] | None, typer.Option(help="ARM=COST per member, in the metric's unit; may be given for each arm.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
) -> None:
    """Learn from an experiment which action helps whom; members then have the label "suggested_action".

    The control arm is doing nothing. An action is suggested where its expected gain, less its cost, is clear of its error.
    """
    import polars as pl

    from api.wiring import build_services
    from personalization.experiments.spec import METRICS
    from personalization.profiling.facts import feature_lines
    from personalization.profiling.features import FEATURES, batch
    from personalization.profiling.uplift import UpliftError, fit
    from stores.purchases import SqlTrainingSource

    services = build_services(settings())
    stored = services.experiments.get(experiment_id)
    wanted = outcome or stored.experiment.metric
    if wanted not in METRICS:
        sys.exit(f"aisle: {wanted} is no metric; there are: {', '.join(METRICS)}")
    if stored.started_at is None:
        sys.exit(f"aisle: {experiment_id} has not been started; `aisle experiment start {experiment_id}`")
    units = services.experiments.outcomes(experiment_id, at=datetime.now(UTC))
    source = SqlTrainingSource(services.db)
    lines = feature_lines(source.order_lines(), source.product_facts())
    known = batch(lines, stored.started_at)  # as of the start: what an arm did must not be in what it is predicted from
    both = units.join(known, left_on="unit_id", right_on="member_id")
    try:
        model = fit(
            both.select(FEATURES).to_numpy(), both["arm"].to_numpy().astype(str), both[wanted].cast(pl.Float64).to_numpy(), columns=FEATURES,
            control=stored.experiment.arms[0].name, experiment_id=experiment_id, name=wanted, seed=seed, costs=_costs(cost or [], stored.experiment),
        )  # fmt: skip
    except UpliftError as error:
        sys.exit(f"aisle: {error}")
    services.uplift_path.write_text(model.as_json())
    found = model.evaluation
    assert found is not None  # noqa: S101  fit evaluates
    for arm, gain in found.at_30.items():
        low, high = found.at_30_ci[arm]
        print(
            f"{arm}: {gain:+.4g} ({low:+.4g} to {high:+.4g}) {wanted} among the 30 % it suits best, {found.random[arm]:+.4g} among everybody"
        )
    shares = ", ".join(
        f"{arm if arm != model.control else 'nothing'} {share:.0%}" for arm, share in found.suggested.items()
    )
    print(
        f"suggested: {shares}; {wanted} per member {found.policy:.4g} (95 % {found.policy_ci[0]:.4g} to {found.policy_ci[1]:.4g}), best single arm {found.best_arm:.4g}"
    )
    print(f"{services.uplift_path} written from {len(both):,} members; restart the worker to use it")


def _costs(given: list[str], experiment_: Experiment) -> dict[str, float]:
    found = {}
    for one in given:
        arm, _, cost = one.partition("=")
        try:
            found[arm] = float(cost)
        except ValueError:
            sys.exit(f"aisle: {one} is not like offer=1.5")
        if experiment_.arm(arm) is None:
            sys.exit(
                f"aisle: the experiment has no arm {arm}; there are: {', '.join(a.name for a in experiment_.arms)}"
            )
    return found


def _store() -> SqlExperiments:
    from api.opening import open_database
    from stores.experiments import SqlExperiments

    return SqlExperiments(open_database(settings()))


def _parsed(given: Any, file: Path) -> Experiment:
    from pydantic import ValidationError

    from api.schemas import ExperimentIn
    from personalization.experiments.spec import ExperimentError

    try:
        return ExperimentIn.model_validate(given).experiment()
    except ValidationError as error:
        wrong = error.errors()[0]
        sys.exit(f"aisle: {file}: {'.'.join(map(str, wrong['loc'])) or 'the file'}: {wrong['msg']}")
    except ExperimentError as error:
        sys.exit(f"aisle: {file}: {error}")


def _tell(result: Result) -> None:
    from rich.console import Console
    from rich.table import Table

    ratio = "" if result.srm_p is None else f"; sample ratio p = {result.srm_p:.3g}"
    print(f"units: {', '.join(f'{arm} {n:,}' for arm, n in result.units.items())}{ratio}")
    console = Console(width=None if sys.stdout.isatty() else 130)
    for arm in result.arms:
        broken = f" ({', '.join(arm.broken)})" if arm.broken else ""
        print(f"{arm.arm}: {arm.verdict}{broken}")
        if not arm.effects:
            continue
        table = Table(
            "metric",
            "control",
            arm.arm,
            "change",
            "95 % (one look)",
            "p",
            "95 % (any time)",
            "CUPED saved",
            header_style="bold",
        )
        for e in arm.effects:
            change = "" if e.relative is None else f"{e.relative:+.1%}"
            always = "" if e.always is None else f"{e.always[0]:,.4g} to {e.always[1]:,.4g}"
            table.add_row(
                e.metric, f"{e.control:,.4g}", f"{e.treatment:,.4g}", change, f"{e.ci[0]:,.4g} to {e.ci[1]:,.4g}", f"{e.p:.3g}", always,
                f"{e.saved:.0%}",
            )  # fmt: skip
        console.print(table)
