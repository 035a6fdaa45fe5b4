"""EMER's losses and its advantage evaluator. ŷ : (B, M) scores; present, shown : (B, M) bool."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

SHIFTS = 8
UNIT_FLOOR = 0.05  # of the mean unit time: p / time must not explode where time is predicted to be near zero


def posterior(y: Tensor, satisfaction: Tensor, shown: Tensor) -> Tensor:
    """L_post = -Σ log σ(ŷ_i - ŷ_j) over pairs i ▷ j of shown candidates: many positive feedbacks > one > none.

    satisfaction : (B, M) number of positive feedbacks. Every request counts alike, however many pairs it has. (Weighting a
    pair by how much its swap changes DCG, as LambdaRank does, measured worse on validation.)
    """
    better = (satisfaction[:, :, None] > satisfaction[:, None, :]) & shown[:, :, None] & shown[:, None, :]
    weight = better.to(y.dtype)
    each = (softplus(y[:, None, :] - y[:, :, None]) * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2)).clamp(min=1e-6)
    some = better.flatten(1).any(dim=1)
    return each[some].mean() if bool(some.any()) else y.sum() * 0.0


def per_unit_time(predictions: Tensor, unit: Tensor, interactions: Tensor) -> Tensor:
    """IPUT: p_xtr / unit time for objectives that are interactions, the others unchanged.

    predictions : (B, M, K); unit : (B, M) predicted unit time; interactions : (K,) bool.
    """
    floor = UNIT_FLOOR * unit.mean()
    per_unit = predictions / unit.clamp(min=float(floor))[:, :, None]
    return torch.where(interactions, per_unit, predictions)


def prior(y: Tensor, goals: Tensor, present: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """L_prior = (1/N) Σ w_pxtr L_pxtr; L_pxtr is the cross-entropy of σ(ŷ_i - ŷ_j) against 1[goal_i > goal_j].

    goals : (B, M, K), larger is better; weights : (K,). Each candidate is compared with SHIFTS others, drawn anew each
    time, instead of with all. Returns the loss and the K losses.
    """
    m = y.shape[1]
    order = torch.randperm(m)
    each = []
    for shift in torch.randint(1, m, (SHIFTS,)).tolist():
        i, j = order, order.roll(shift)
        both = (present[:, i] & present[:, j])[:, :, None]
        label = (goals[:, i] > goals[:, j]).to(y.dtype)
        tied = goals[:, i] == goals[:, j]
        margin = (y[:, i] - y[:, j])[:, :, None].expand_as(label)
        loss = binary_cross_entropy_with_logits(margin, label, reduction="none")
        counted = both & ~tied
        each.append((loss * counted).sum(dim=(0, 1)) / counted.sum(dim=(0, 1)).clamp(min=1))
    losses = torch.stack(each).mean(dim=0)
    return (weights * losses).mean(), losses


def dcg(y: Tensor, goals: Tensor, present: Tensor, k: int = 10) -> Tensor:
    """Return Σ goal / log2(rank + 1) over the first k by ŷ, mean over requests, (K,): the advantage evaluator's Metric."""
    top = y.masked_fill(~present, -torch.inf).topk(min(k, y.shape[1]), dim=1).indices
    discount = 1.0 / torch.log2(torch.arange(top.shape[1], dtype=y.dtype) + 2.0)
    best = goals.gather(1, top[:, :, None].expand(-1, -1, goals.shape[2]))
    return (best * discount[None, :, None]).sum(dim=1).mean(dim=0)


def evolved(reference: Tensor, current: Tensor, *, most: float = 3.0) -> Tensor:
    """w_pxtr = Metric(reference model) / Metric(current model), within [1/most, most]: what fell behind gains weight."""
    return (reference.clamp(min=1e-9) / current.clamp(min=1e-9)).clamp(1.0 / most, most)
