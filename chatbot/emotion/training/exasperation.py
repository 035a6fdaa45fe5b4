"""Fits the third opinion: whether a shopper's patience ends, logistic regression over what the other two say of a message and over its terms.

`python -m chatbot.emotion.training.exasperation` writes `model/exasperation.npz`, and what it measured to `.json`. The messages are
`exasperation.yaml`, and as calm ones the examples of the dialogue's intents in which nobody is upset; by their number each of those counts less.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from chatbot.emotion import exasperation
from chatbot.emotion.model_ import MODEL, EmotionModel
from chatbot.signals import without_courtesy

DATA = Path(__file__).with_suffix(".yaml")
INTENTS = Path(__file__).parents[2] / "rasa" / "data" / "nlu"
UPSET = frozenset(
    ("complaint", "human", "feedback", "clarify", "coupon_problem", "deny", "out_of_scope", "bot_challenge", "goodbye")
)
"""Intents whose examples may be exasperated, or are about nothing."""
SEED, FOLDS, STRENGTH = 7, 5, 3.0
SHARE = 0.1  # the standard deviation of an opinion beside the terms, whose squares sum to 2
WEIGHTS = {"exasperated": 4.0, "calm": 2.0, "request": 0.25}


def messages() -> tuple[list[str], list[str]]:
    """Return the messages and the kind of each: a key of WEIGHTS."""
    written = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    pairs = [(str(text), kind) for kind in ("exasperated", "calm") for text in written[kind]]
    for path in sorted(INTENTS.glob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            if entry["intent"] not in UPSET:
                pairs += [(line.removeprefix("- ").strip(), "request") for line in entry["examples"].splitlines()]
    return [text for text, _ in pairs], [kind for _, kind in pairs]


def fit(texts: list[str], kinds: list[str]) -> tuple[dict[str, NDArray[Any]], dict[str, object]]:
    """Return the weights, and what was measured in folds that were not fitted on."""
    model, kind = EmotionModel(), np.array(kinds)
    heard = [without_courtesy(text) for text in texts]
    said = np.array([np.concatenate(model.opinions(text)) for text in heard], np.float64)
    terms = [model.terms(text) for text in heard]
    starts = np.cumsum([0, *(len(columns) for columns, _ in terms)])
    columns, values = (np.concatenate([one[part] for one in terms]) for part in (0, 1))
    words = csr_matrix((values, columns, starts), shape=(len(texts), model.width))
    middle, spread = said.mean(0), said.std(0) / SHARE
    seen = hstack([csr_matrix((said - middle) / spread), words]).tocsr()
    truth, weight = kind == "exasperated", np.array([WEIGHTS[one] for one in kinds])
    line = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=SEED)
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(seen, kind))
    given = {"sample_weight": weight}
    chance: NDArray[Any] = cross_val_predict(line, seen, truth, cv=folds, method="predict_proba", params=given)[:, 1]
    line.fit(seen, truth, **given)
    of_said, of_terms = np.split(line.coef_[0], [said.shape[1]])
    scale = np.abs(of_terms).max() / 127
    weights = {
        "said": (of_said / spread).astype(np.float32), "bias": np.float32(line.intercept_[0] - middle @ (of_said / spread)),
        "terms": np.round(of_terms / scale).astype(np.int8), "scale": np.float32(scale),
    }  # fmt: skip
    mistakable = kind != "request"
    return weights, {
        "seed": SEED,
        "data": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "auroc": round(float(roc_auc_score(truth, chance)), 4),
        "auroc_without_requests": round(float(roc_auc_score(truth[mistakable], chance[mistakable])), 4),
        **{f"above_half_of_{one}": round(float((chance[kind == one] > 0.5).mean()), 4) for one in WEIGHTS},
        **{f"messages_of_{one}": int((kind == one).sum()) for one in WEIGHTS},
    }


if __name__ == "__main__":
    fitted, measured = fit(*messages())
    np.savez_compressed(
        MODEL / exasperation.WEIGHTS, said=fitted["said"], bias=fitted["bias"], terms=fitted["terms"], scale=fitted["scale"]
    )  # fmt: skip
    (MODEL / exasperation.MEASURED).write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(measured, indent=1))
