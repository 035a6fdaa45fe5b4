"""The area under the ROC curve by ranks (Mann and Whitney 1947): what scikit-learn gives, without checking its input a thousand times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def auroc(truth: NDArray[np.bool_], scores: NDArray[Any]) -> float:
    """Return how often one that is true has the higher score of two, ties counted half; nan where only one kind is there."""
    there = int(truth.sum())
    others = len(truth) - there
    if there == 0 or others == 0:
        return float("nan")
    return float((rankdata(scores)[truth].sum() - there * (there + 1) / 2) / (there * others))
