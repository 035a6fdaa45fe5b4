"""A multi-task network on the ranking's features, in the trees' place: mixtures of experts or a shared bottom."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, ndtri
from torch import Tensor, nn

from bench.report import progress
from personalization.ranking import objectives
from personalization.ranking.learning import BINARY
from personalization.ranking.objectives import OBJECTIVES
from personalization.ranking.requests import Requests

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
QUANTILES = 256


@dataclass(frozen=True, slots=True)
class Setting:
    """A network and how it learns. experts : 1 is a shared bottom; rate : AdamW's first, it falls to 0 along a cosine."""

    name: str
    experts: int
    width: int
    rate: float = 2e-3
    epochs: int = 8
    batch: int = 2048


SETTINGS = (Setting("shared bottom of width 256", 1, 256), Setting("MMoE, 4 experts of width 128", 4, 128))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Features as a network likes them: quantiles as normal scores of unit variance, then flags of what is missing.

    known, scores : per feature, points of the map; gaps : positions of the features that are missing somewhere.
    """

    known: tuple[Floats, ...]
    scores: tuple[Floats, ...]
    gaps: NDArray[np.int64]

    @classmethod
    def of(cls, sample: Floats32) -> Inputs:
        """Learn the map from rows (rows, features); ties share the middle of their quantiles."""
        known, scores = [], []
        for column in sample.T.astype(np.float64):
            values = column[~np.isnan(column)] if not np.isnan(column).all() else np.zeros(1)
            steps = np.quantile(values, np.linspace(0, 1, QUANTILES + 1))
            points, first, counts = np.unique(steps, return_index=True, return_counts=True)
            score = ndtri(np.clip((first + (counts - 1) / 2) / QUANTILES, 1e-3, 1 - 1e-3))
            mapped = np.interp(values, points, score)
            known.append(points)
            scores.append((score - mapped.mean()) / max(float(mapped.std()), 1e-3))
        return cls(tuple(known), tuple(scores), np.flatnonzero(np.isnan(sample).any(axis=0)))

    def __call__(self, features: Floats32) -> Tensor:
        """Return (rows, features + gaps); what is missing is 0, the mean."""
        found = np.empty((len(features), len(self.known) + len(self.gaps)), np.float32)
        for column, (points, score) in enumerate(zip(self.known, self.scores, strict=True)):
            found[:, column] = np.interp(features[:, column], points, score)
        found[:, len(self.known) :] = np.isnan(features[:, self.gaps])
        return torch.from_numpy(np.nan_to_num(found, copy=False))


class Network(nn.Module):
    """Multi-gate mixture of experts (Ma et al. 2018, KDD); with one expert, a shared bottom with towers (Caruana 1997)."""

    def __init__(self, inputs: int, setting: Setting) -> None:
        super().__init__()
        width, half = setting.width, setting.width // 2
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, half), nn.ReLU())
            for _ in range(setting.experts)
        )
        self.gates = nn.Linear(inputs, len(OBJECTIVES) * setting.experts)
        self.towers = nn.ModuleList(nn.Sequential(nn.Linear(half, 32), nn.ReLU(), nn.Linear(32, 1)) for _ in OBJECTIVES)

    def forward(self, x: Tensor) -> Tensor:
        """Return log-odds, or standardised values, (rows, objectives)."""
        found = torch.stack([expert(x) for expert in self.experts], dim=1)
        shares = torch.softmax(self.gates(x).view(len(x), len(self.towers), -1), dim=2)
        mixed = torch.bmm(shares, found)
        return torch.cat([tower(mixed[:, number]) for number, tower in enumerate(self.towers)], dim=1)


@dataclass(frozen=True, slots=True)
class Scale:
    """The targets' scale, (objectives,) each. mean, deviation : 0 and 1 of binary ones; base : loss of the mean alone."""

    mean: Floats
    deviation: Floats
    base: Floats

    @classmethod
    def of(cls, targets: Floats32) -> Scale:
        """Learn it from targets (rows, objectives)."""
        mean, deviation = targets.mean(axis=0, dtype=np.float64), targets.std(axis=0, dtype=np.float64)
        rate = np.clip(mean, 1e-6, 1 - 1e-6)
        entropy = -rate * np.log(rate) - (1 - rate) * np.log1p(-rate)
        return cls(np.where(BINARY, 0.0, mean), np.where(BINARY, 1.0, deviation), np.where(BINARY, entropy, 1.0))

    def losses(self, raw: Tensor, y: Tensor) -> Tensor:
        """Return each objective's loss as a share of its base, (objectives,), so that none drowns another."""
        odds = nn.functional.binary_cross_entropy_with_logits(raw, y.clamp(0, 1), reduction="none").mean(dim=0)
        square = nn.functional.mse_loss(raw, y, reduction="none").mean(dim=0)
        return torch.where(torch.as_tensor(BINARY), odds, square) / torch.as_tensor(self.base, dtype=torch.float32)


def epochs(x: Tensor, y: Tensor, scale: Scale, setting: Setting, seed: int) -> Iterator[Network]:
    """Yield the network after every epoch over inputs `x` and scaled targets `y`; it is one and the same, learning on."""
    torch.manual_seed(seed)
    network, steps = Network(x.shape[1], setting), len(x) // setting.batch
    optimizer = torch.optim.AdamW(network.parameters(), lr=setting.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps * setting.epochs)
    for _ in range(setting.epochs):
        for rows in torch.randperm(len(x)).split(setting.batch)[:steps]:
            optimizer.zero_grad()
            torch.autograd.backward(scale.losses(network(x[rows]), y[rows]).mean())
            optimizer.step()
            schedule.step()
        yield network


def forward(network: Network, x: Tensor) -> Tensor:
    """Return the network's output, (rows, objectives), a part at a time."""
    with torch.inference_mode():
        return torch.cat([network(part) for part in x.split(20_000)])


@dataclass(frozen=True, slots=True)
class Multitask:
    """A trained network in the trees' place. slopes : as in `Predictors`; seconds : CPU time of its setting's training."""

    network: Network
    inputs: Inputs
    scale: Scale
    slopes: Floats
    told: str
    seconds: float

    def predict(self, features: Floats32) -> Floats:
        """Return (rows, objectives), as `Predictors.predict` does."""
        raw = forward(self.network, self.inputs(features)).numpy().astype(np.float64)
        odds = expit(self.slopes[:, 0] * raw + self.slopes[:, 1])
        return np.where(BINARY, odds, raw * self.scale.deviation + self.scale.mean)


def fit(requests: Requests, *, seed: int) -> Multitask:
    """Return the best setting's network.

    Like the trees it learns from each half of the members and from all. The first half's networks say on the other which
    setting and epoch are best, by the mean of the losses' shares; the best one's outputs of members that it did not see
    calibrate the probabilities (Platt 1999).
    """
    started, rng = time.process_time(), np.random.default_rng(seed)
    targets = np.stack([objective.target(requests) for objective in OBJECTIVES], axis=1)
    side = objectives.halves(int(requests.member.max()) + 1, seed)[requests.member]
    inputs = Inputs.of(requests.features[rng.permutation(len(side))[:100_000]])
    scale = Scale.of(targets)
    x, y = inputs(requests.features), torch.from_numpy(((targets - scale.mean) / scale.deviation).astype(np.float32))
    first, second = (torch.from_numpy(np.flatnonzero(side == half)) for half in (0, 1))
    raw, least, best, last, spent = torch.empty_like(y), np.inf, SETTINGS[0], 0, dict[Setting, float]()
    for setting in SETTINGS:
        began, losses = time.process_time(), list[float]()
        for network in epochs(x[first], y[first], scale, setting, seed):
            outputs = forward(network, x[second])
            losses.append(float(scale.losses(outputs, y[second]).mean()))
            if losses[-1] < least:
                least, best, last, raw[second] = losses[-1], setting, len(losses), outputs
        spent[setting] = time.process_time() - began
        progress(f"{setting.name}: held-out loss per epoch {', '.join(f'{loss:.4f}' for loss in losses)}")

    def learned(x: Tensor, y: Tensor) -> Network:
        return next(islice(epochs(x, y, scale, best, seed), last - 1, None))

    raw[first] = forward(learned(x[second], y[second]), x[first])
    slopes = np.tile([1.0, 0.0], (len(OBJECTIVES), 1))
    for number in np.flatnonzero(BINARY):
        slopes[number] = objectives.calibrated(raw[:, number].numpy().astype(np.float64), targets[:, number], seed)
    network = learned(x, y)
    seconds = time.process_time() - started - sum(spent[setting] for setting in SETTINGS if setting is not best)
    return Multitask(network, inputs, scale, slopes, f"{best.name}, {last} of {best.epochs} epochs", seconds)
