"""Train the ensemble ranker: requests stream from disk, checkpoints are kept, a killed run resumes where it was."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from personalization.ranking.emer.data import Recipe, Shard, read_shards
from personalization.ranking.emer.losses import dcg, evolved, per_unit_time, posterior, prior
from personalization.ranking.emer.model import Emer, Shape

Floats32 = NDArray[np.float32]
HELD_OUT = 16  # every so manieth request says how the others go


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded requests: tokens (B, M, width), goals (B, M, K), the rest (B, M)."""

    tokens: Tensor
    goals: Tensor
    unit: Tensor
    satisfaction: Tensor
    shown: Tensor
    present: Tensor


def batch_of(shard: Shard, chosen: NDArray[np.int64], device: torch.device) -> Batch:
    """Return the chosen requests of a shard, padded to the longest."""
    lengths = shard.starts[chosen + 1] - shard.starts[chosen]
    m = int(lengths.max())
    rows = np.minimum(shard.starts[chosen][:, None] + np.arange(m)[None, :], len(shard.unit) - 1)
    present = np.arange(m)[None, :] < lengths[:, None]

    def tensor(values: NDArray[Any], kind: torch.dtype) -> Tensor:
        return torch.as_tensor(values[rows], dtype=kind, device=device)

    there = torch.as_tensor(present, device=device)
    return Batch(
        tensor(shard.tokens, torch.float32) * there[:, :, None], tensor(shard.goals, torch.float32), tensor(shard.unit, torch.float32),
        tensor(shard.satisfaction, torch.int64), tensor(shard.shown, torch.bool) & there, there,
    )  # fmt: skip


def batches(
    folder: Path, size: int, rng: np.random.Generator, device: torch.device, *, held_out: bool = False
) -> Iterator[Batch]:
    """Yield shuffled batches of the requests that are learned from, or those that are held out in their order."""
    shards = len(list(folder.glob("*.npz")))
    for shard in read_shards(folder, None if held_out else rng.permutation(shards)):
        numbers = np.arange(len(shard))
        mine = numbers[(numbers % HELD_OUT == 0) == held_out]
        if not held_out:
            mine = rng.permutation(mine)
        for start in range(0, len(mine), size):
            yield batch_of(shard, mine[start : start + size], device)


@dataclass(slots=True)
class Trained:
    """A trained ensemble: the network on the CPU, its curves (one dict per epoch), and the objectives' last weights."""

    model: Emer
    curves: list[dict[str, float]]
    weights: list[float]


def train(
    shards: Path, width: int, interactions: NDArray[np.bool_], recipe: Recipe, *, checkpoint: Path | None = None,
    reference: Emer | None = None, start: Floats32 | None = None, progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Trained:  # fmt: skip
    """Return the ensemble learned from `shards`; with `checkpoint`, state is kept there after every epoch and resumed from.

    reference : the model that serves now; the advantage evaluator compares with it, and without one with the plain
    mean of the goals' ranks. start : (width,), see `Emer.begin_as`. A checkpoint of another recipe or another data width is ignored.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    parts = recipe.parts
    model = Emer(Shape(width, recipe.hidden, layers=recipe.layers if parts.transformer else 0))
    if start is not None:
        model.begin_as(torch.as_tensor(start))
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    requests = sum(len(shard) for shard in read_shards(shards))
    steps = max(recipe.epochs * (requests // recipe.batch), 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps + 200, pct_start=0.15)
    kinds = torch.as_tensor(interactions & parts.per_unit_time, device=device)
    weights, curves = torch.ones(len(interactions), device=device), []
    name = json.dumps([asdict(recipe), width, requests], sort_keys=True)
    first = 0
    if checkpoint is not None and (state := _resume(checkpoint, name)) is not None:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        weights, curves, first = state["weights"].to(device), state["curves"], state["epoch"]
        torch.set_rng_state(state["random"])
    behind = _metrics(shards, kinds, reference.to(device).eval() if reference else None, device)
    done = first * (requests // recipe.batch)
    for epoch in range(first, recipe.epochs):
        model.train()
        totals: dict[str, list[float]] = {"posterior": [], "prior": []}
        for batch in batches(shards, recipe.batch, np.random.default_rng([recipe.seed, epoch]), device):
            losses = _losses(model, batch, kinds, weights, recipe)
            loss = losses["posterior"] + recipe.prior_weight * losses["prior"]
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            for key, value in losses.items():
                totals[key].append(float(value.detach()))
            done += 1
            progress(min(done, steps), steps)
        model.eval()
        now = _metrics(shards, kinds, model, device)
        if parts.evolving:
            weights = evolved(behind, now)
        curves.append({
            "epoch": epoch + 1, **{key: round(float(np.mean(values)), 5) for key, values in totals.items() if values},
            "held_out_posterior": round(_held_out(shards, model, device), 5),
            **{f"weight_{k}": round(float(w), 3) for k, w in enumerate(weights)},
        })  # fmt: skip
        if checkpoint is not None:
            _keep(checkpoint, name, model, optimizer, schedule, weights, curves, epoch + 1)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return Trained(model.cpu().eval(), curves, [round(float(w), 4) for w in weights])


def _losses(model: Emer, batch: Batch, kinds: Tensor, weights: Tensor, recipe: Recipe) -> dict[str, Tensor]:
    parts = recipe.parts
    y = model(batch.tokens, batch.present.to(torch.float32))
    nothing = y.sum() * 0.0
    if not parts.relative:
        label = (batch.satisfaction > 0).to(y.dtype)
        each = torch.nn.functional.binary_cross_entropy_with_logits(y, label, reduction="none")
        post = (each * batch.shown).sum() / batch.shown.sum().clamp(min=1)
    else:
        post = posterior(y, batch.satisfaction, batch.shown) if parts.posterior else nothing
    goals = per_unit_time(batch.goals, batch.unit, kinds)
    return {
        "posterior": post,
        "prior": prior(y, goals, batch.present, weights)[0] if parts.prior else nothing,
    }


@torch.no_grad()
def _metrics(shards: Path, kinds: Tensor, model: Emer | None, device: torch.device) -> Tensor:
    """Return the advantage evaluator's Metric per objective on held-out requests."""
    found = []
    for batch in batches(shards, 64, np.random.default_rng(0), device, held_out=True):
        goals = per_unit_time(batch.goals, batch.unit, kinds)
        low = goals.masked_fill(~batch.present[:, :, None], torch.inf).amin(dim=1, keepdim=True)
        level = goals - low  # DCG wants gains that are not negative
        if model is None:
            y = -goals.argsort(dim=1, descending=True).argsort(dim=1).to(torch.float32).mean(dim=2)
        else:
            y = model(batch.tokens, batch.present.to(torch.float32))
        found.append(dcg(y, level, batch.present))
    return torch.stack(found).mean(dim=0)


@torch.no_grad()
def _held_out(shards: Path, model: Emer, device: torch.device) -> float:
    found = [
        posterior(model(b.tokens, b.present.to(torch.float32)), b.satisfaction, b.shown)
        for b in batches(shards, 64, np.random.default_rng(0), device, held_out=True)
    ]
    return float(torch.stack(found).mean()) if found else float("nan")


def _keep(
    path: Path, name: str, model: Emer, optimizer: Any, schedule: Any, weights: Tensor, curves: Any, epoch: int
) -> None:
    fresh = path.with_suffix(".new")
    state = {
        "name": name, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(),
        "weights": weights.cpu(), "curves": curves, "epoch": epoch, "random": torch.get_rng_state(),
    }  # fmt: skip
    torch.save(state, fresh)
    fresh.replace(path)


def _resume(path: Path, name: str) -> Mapping[str, Any] | None:
    try:
        state: Mapping[str, Any] = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
        return None
    return state if state.get("name") == name else None
