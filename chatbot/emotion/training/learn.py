"""Fitting: teachers on the labels, students on what the teachers say of many more texts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from chatbot.emotion.labels import OUTPUTS
from chatbot.emotion.text import MOST_TOKENS
from chatbot.emotion.training.data import KINDS
from chatbot.emotion.training.network import Network
from chatbot.emotion.training.scores import cross_fitted
from personalization.ranking.sentences.network import read_safetensors

SORTED = 50  # batches that are sorted by length together
STATE_LOSS, UNMET_LOSS, LABEL_LOSS = 0.3, 0.3, 5.0  # the last is of a mean over 39 labels
MASK, FIRST_WORD = 103, 999  # numbers of BERT's vocabulary
WARM_UP = 0.06

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Recipe:
    """How one network is trained. `hard` is the share of the human labels beside the teachers' word, `masked` of hidden tokens."""

    seed: int
    rate: float
    epochs: float
    batch: int
    fading: float = 1.0
    hard: float = 1.0
    masked: float = 0.0
    seconds: float = 1e9
    train_repeats: int = 1
    service_repeats: int = 4


class Device:
    """The rows where they are computed on."""

    def __init__(self, arrays: Arrays, device: str) -> None:
        self.name = device
        lengths = arrays["lengths"].astype(np.int64)
        padded = np.zeros((len(lengths), MOST_TOKENS), np.int32)
        padded[np.arange(MOST_TOKENS)[None] < lengths[:, None]] = arrays["tokens"]
        self.rows_lengths = lengths
        self.tokens = torch.from_numpy(padded).to(device)
        self.lengths = torch.from_numpy(lengths).to(device)

    def batch(self, rows: NDArray[Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rows' numbers, tokens and lengths, cut to the longest."""
        at = torch.from_numpy(rows).to(self.name)
        return at, self.tokens[at, : int(self.rows_lengths[rows].max())].long(), self.lengths[at]

    def autocast(self) -> Any:
        """Compute in bfloat16 on a GPU."""
        return torch.autocast(self.name.split(":")[0], torch.bfloat16, enabled=self.name.startswith("cuda"))


def of_kind(arrays: Arrays, *kinds: str) -> NDArray[Any]:
    """Return the numbers of the rows of these kinds."""
    return np.flatnonzero(np.isin(arrays["kinds"], [KINDS.index(kind) for kind in kinds]))


def batches(rows: NDArray[Any], lengths: NDArray[Any], size: int, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
    """Yield the rows in random batches of texts about as long."""
    rows = rng.permutation(rows)
    for start in range(0, len(rows), size * SORTED):
        chunk = rows[start : start + size * SORTED]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        parts = [chunk[at : at + size] for at in range(0, len(chunk), size)]
        yield from (parts[at] for at in rng.permutation(len(parts)))


def loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the mean loss: labels, state and unmet, each with the row's weight."""
    labels = functional.binary_cross_entropy_with_logits(logits[:, :OUTPUTS], targets[:, :OUTPUTS], reduction="none")
    states = -(targets[:, OUTPUTS:-1] * functional.log_softmax(logits[:, OUTPUTS:-1], 1)).sum(1)
    unmet = functional.binary_cross_entropy_with_logits(logits[:, -1], targets[:, -1], reduction="none")
    each = torch.stack([LABEL_LOSS * labels.mean(1), STATE_LOSS * states, UNMET_LOSS * unmet], 1)
    return (each * weights).sum() / len(logits)


def fit(
    network: Network,
    device: Device,
    rows: NDArray[Any],
    targets: Tensor,
    weights: Tensor,
    recipe: Recipe,
    tell: Callable[[str], None],
) -> None:
    """Train for `epochs`, or until the seconds are over; the learning rate falls to zero by then."""
    rng = np.random.default_rng(recipe.seed)
    groups = _groups(network, recipe)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98), fused=device.name.startswith("cuda"))
    rates = [group["lr"] for group in groups]
    total, step, started = max(1, int(recipe.epochs * len(rows) / recipe.batch)), 0, time.monotonic()
    network.train()
    while True:
        for picked in batches(rows, device.rows_lengths, recipe.batch, rng):
            done = max(step / total, (time.monotonic() - started) / recipe.seconds)
            if done >= 1:
                tell(f"{step} of {total} steps, {time.monotonic() - started:.0f} s")
                return
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
            at, tokens, lengths = device.batch(picked)
            with device.autocast():
                logits = network(_hidden(tokens, recipe.masked), lengths)
            optimizer.zero_grad(set_to_none=True)
            loss(logits.float(), targets[at], weights[at]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step += 1


def _hidden(tokens: Tensor, share: float) -> Tensor:
    """Return the tokens with a share of the words hidden."""
    if not share:
        return tokens
    hide = (torch.rand(tokens.shape, device=tokens.device) < share) & (tokens >= FIRST_WORD)
    return tokens.masked_fill(hide, MASK)


def _groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the parameters with their rates: lower layers learn slower by `fading` each, the head faster."""
    depth = len(network.layers)
    below = [network.words.weight, network.places, *network.norm.parameters()]
    if network.relative is not None:
        below.append(network.relative)
    head = [*network.hidden.parameters(), *network.head.parameters()]
    groups = [(below, recipe.fading**depth), (head, max(1.0, min(10.0, 5e-4 / recipe.rate)))]
    groups += [([*layer.parameters()], recipe.fading ** (depth - 1 - at)) for at, layer in enumerate(network.layers)]
    return [{"params": parameters, "lr": recipe.rate * factor} for parameters, factor in groups]


@torch.inference_mode()
def outputs(network: Network, device: Device, rows: NDArray[Any], size: int = 512) -> NDArray[np.float32]:
    """Return the probabilities (rows, WIDTH): labels, states, unmet."""
    network.eval()
    found: NDArray[np.float32] | None = None
    order = np.argsort(device.rows_lengths[rows], kind="stable")
    for start in range(0, len(rows), size):
        at = order[start : start + size]
        _, tokens, lengths = device.batch(rows[at])
        with device.autocast():
            logits = network(tokens, lengths).float()
        chances = torch.cat(
            [logits[:, :OUTPUTS].sigmoid(), logits[:, OUTPUTS:-1].softmax(1), logits[:, -1:].sigmoid()], 1
        )
        if found is None:
            found = np.zeros((len(rows), chances.shape[1]), np.float32)
        found[at] = chances.cpu().numpy()
    assert found is not None  # noqa: S101 - there are rows
    return found


def teach(work: Path, weights: Path, recipe: Recipe, name: str, device: str) -> None:
    """Train a teacher on the labels; write its word on every row, and its score on dev."""
    torch.manual_seed(recipe.seed)
    arrays = load(work)
    where = Device(arrays, device)
    network = Network(read_safetensors(weights)).to(device)
    rows = np.concatenate(
        [of_kind(arrays, "train", "plain"), np.repeat(of_kind(arrays, "service"), recipe.service_repeats)]
    )
    targets, factors = (torch.from_numpy(arrays[key].astype(np.float32)).to(device) for key in ("targets", "weights"))
    fit(network, where, rows, targets, factors, recipe, lambda text: print(f"{name}: {text}", flush=True))
    said = outputs(network, where, np.arange(len(arrays["kinds"])))
    np.savez_compressed(work / f"{name}.npz", said=packed(said), score=_judge(arrays, said, name))


def distil(work: Path, weights: Path, recipe: Recipe, name: str, device: str) -> None:
    """Train a student on what the teachers say; write its weights, and its score on dev."""
    torch.manual_seed(recipe.seed)
    arrays = load(work)
    where = Device(arrays, device)
    network = Network(read_safetensors(weights)).to(device)
    soft, targets = taught(work), arrays["targets"].astype(np.float32)
    borrowed = arrays["origins"] >= 0
    soft[borrowed] = soft[arrays["origins"][borrowed]]
    factors = np.ones((len(targets), 3), np.float32)
    share = recipe.hard * (arrays["weights"].astype(np.float32) > 0)
    wide = np.repeat(share, [OUTPUTS, targets.shape[1] - OUTPUTS - 1, 1], axis=1)
    mixed = wide * targets + (1 - wide) * soft
    rows = np.concatenate([
        np.repeat(of_kind(arrays, "train"), recipe.train_repeats), of_kind(arrays, "plain", "noisy", "unlabelled"),
        np.repeat(of_kind(arrays, "service"), recipe.service_repeats),
    ])  # fmt: skip
    goals, importance = (torch.from_numpy(values).to(device) for values in (mixed, factors))
    fit(network, where, rows, goals, importance, recipe, lambda text: print(f"{name}: {text}", flush=True))
    said = outputs(network, where, of_kind(arrays, "dev"))
    score = cross_fitted(said, arrays["targets"][of_kind(arrays, "dev")])
    print(f"{name}: dev {score}", flush=True)
    tensors: dict[str, Any] = {key: values.astype(np.float16) for key, values in network.tensors().items()}
    np.savez(work / f"{name}.npz", score=np.array(score), **tensors)


def _judge(arrays: Arrays, said: NDArray[Any], name: str) -> NDArray[Any]:
    rows = of_kind(arrays, "dev")
    score = cross_fitted(said[rows], arrays["targets"][rows])
    print(f"{name}: dev {score}", flush=True)
    return np.array(score)


def packed(chances: NDArray[Any]) -> NDArray[np.uint8]:
    """Return probabilities as one byte each, finer near zero."""
    return np.round(255 * np.sqrt(chances)).astype(np.uint8)


def choose(work: Path) -> Path:
    """Copy the student that is best on dev to best.npz; return its file."""
    scores = {path: float(np.load(path)["score"].mean()) for path in sorted(work.glob("student-*.npz"))}
    best = max(scores, key=lambda path: scores[path])
    shutil.copy(best, work / "best.npz")
    return best


def taught(work: Path) -> NDArray[np.float32]:
    """Return the mean of what the teachers say, (rows, WIDTH)."""
    files = sorted(work.glob("teacher-*.npz"))
    total: NDArray[np.float32] | None = None
    for path in files:
        with np.load(path) as stored:
            chances = (stored["said"].astype(np.float32) / 255) ** 2
        total = chances if total is None else total + chances
    if total is None:
        raise FileNotFoundError(f"no teacher in {work}")
    mean: NDArray[np.float32] = (total / len(files)).astype(np.float32)
    return mean


def load(work: Path) -> Arrays:
    """Return the prepared rows."""
    with np.load(work / "rows.npz") as stored:
        return dict(stored)
