"""The third opinion: whether a shopper's patience ends, which one message may tell without a loud word.

A logistic regression over what the other two opinions say and, as the second one does, over words and letters; int8 weights.
Fitted by `python -m chatbot.emotion.training.exasperation`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.emotion.wording import Terms

WEIGHTS, MEASURED = "exasperation.npz", "exasperation.json"


class Exasperation:
    """Weights over the outputs of network and linear model, and over the terms."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            self._said, self._bias = arrays["said"].astype(np.float64), float(arrays["bias"])
            self._terms = arrays["terms"].astype(np.float32) * arrays["scale"]

    def chance(self, said: NDArray[Any], terms: Terms) -> float:
        """Return the probability that patience ends; `said`: both opinions, one after the other."""
        columns, values = terms
        odds = said @ self._said + values @ self._terms[columns] + self._bias
        return float(1 / (1 + np.exp(-np.clip(odds, -50, 50))))
