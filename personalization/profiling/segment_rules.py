"""Names and one-line descriptions of segments, from the rules of a shallow decision tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from personalization.profiling.segment_words import RULED, Bounds, in_words

DEPTH, LEAST_LEAF = 5, 0.01
Floats = NDArray[np.float64]


def describe(
    columns: Mapping[str, Floats], shares: Floats, categories: Sequence[str], labels: NDArray[np.intp], *, seed: int
) -> tuple[list[dict[str, Any]], float]:
    """Return each segment's id, name and description with what it is made from, and the accuracy of the rules on members held out of them.

    The tree sees the features that have words (RULED); its accuracy is that of five-fold cross-validation.
    """
    table = np.stack([columns[name] for name in RULED], axis=1)
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=LEAST_LEAF, random_state=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    enough = np.bincount(labels).min() >= 5
    held_out = cross_val_predict(tree, table, labels, cv=folds) if enough else tree.fit(table, labels).predict(table)
    accuracy = round(float((held_out == labels).mean()), 4)
    rules = _rules(tree.fit(table, labels))
    names, taken = [], set[str]()
    for number in range(int(labels.max()) + 1):
        mine = labels == number
        liked = _liked(shares, categories, mine)
        name = _name(table, mine)
        if name in taken and liked:
            name = f"{name}, {liked[0].lower()}"
        if name in taken:
            name = f"{name} ({number + 1})"
        taken.add(name)
        bounds = rules.get(number)
        names.append(
            {
                "segment_id": f"s{number + 1}", "name": name, "description": in_words(bounds, liked),
                "bounds": bounds, "liked": liked,
            }
        )  # fmt: skip
    return names, accuracy


def _rules(tree: DecisionTreeClassifier) -> dict[int, Bounds]:
    """Return for each class the bounds of its largest leaf."""
    inner: Any = tree.tree_
    best: dict[int, tuple[float, Bounds]] = {}

    def walk(node: int, bounds: Bounds) -> None:
        if inner.children_left[node] < 0:
            share = inner.value[node][0] * inner.n_node_samples[node]
            number = int(tree.classes_[share.argmax()])
            if share.max() > best.get(number, (0.0, bounds))[0]:
                best[number] = (float(share.max()), bounds)
            return
        name, cut = RULED[inner.feature[node]], float(inner.threshold[node])
        low, high = bounds.get(name, (None, None))
        walk(inner.children_left[node], {**bounds, name: (low, cut if high is None else min(high, cut))})
        walk(inner.children_right[node], {**bounds, name: (cut if low is None else max(low, cut), high)})

    walk(0, {})
    return {number: bounds for number, (_, bounds) in best.items()}


def _name(table: Floats, mine: NDArray[np.bool_]) -> str:
    """Name a segment by what sets its median member apart, against the thirds of all members."""
    words = (
        ("Rare", "Regular", "Frequent"),
        ("small baskets", "middling baskets", "big baskets"),
        ("full price", "", "promotion seekers"),
    )
    chosen = []
    for column, options in enumerate(words):
        low, high = np.quantile(table[:, column], [1 / 3, 2 / 3])
        middle = float(np.median(table[mine, column]))
        chosen.append(options[0] if middle < low else options[2] if middle > high else options[1])
    return ", ".join(word for word in chosen if word)


def _liked(shares: Floats, categories: Sequence[str], mine: NDArray[np.bool_]) -> list[str]:
    """Return up to three categories on which the segment spends clearly more of its money than all members."""
    if not shares.shape[1]:
        return []
    gain = (shares[mine].mean(axis=0) - shares.mean(axis=0)) / np.maximum(shares.std(axis=0), 1e-9)
    return [str(categories[i]) for i in np.argsort(-gain)[:3] if gain[i] > 0.1]
