"""Fits the third opinion: whether a shopper's patience ends, logistic regression over what the other two say of a message.

`python -m chatbot.emotion.training.exasperation` writes `model/exasperation.json`. The messages are `exasperation.yaml`, and as calm ones
the examples of the dialogue's intents in which nobody is upset; by their number each of those counts less.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chatbot.emotion.model_ import EXASPERATION, MODEL, EmotionModel
from chatbot.signals import without_courtesy

DATA = Path(__file__).with_suffix(".yaml")
INTENTS = Path(__file__).parents[2] / "rasa" / "data" / "nlu"
UPSET = frozenset(
    ("complaint", "human", "feedback", "clarify", "coupon_problem", "deny", "out_of_scope", "bot_challenge", "goodbye")
)
"""Intents whose examples may be exasperated, or are about nothing."""
SEED, STRENGTH, FOLDS = 7, 0.1, 5
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


def fit(texts: list[str], kinds: list[str]) -> dict[str, object]:
    """Return the weights over both opinions, the bias, and what was measured in folds that were not fitted on."""
    model = EmotionModel()
    seen = np.array([np.concatenate(model.opinions(without_courtesy(text))) for text in texts], np.float64)
    kind = np.array(kinds)
    truth, weight = kind == "exasperated", np.array([WEIGHTS[one] for one in kinds])
    line = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000))
    given = {"logisticregression__sample_weight": weight}
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(seen, kind))
    chance: NDArray[np.float64] = cross_val_predict(line, seen, truth, cv=folds, method="predict_proba", params=given)[
        :, 1
    ]
    line.fit(seen, truth, **given)
    scaler, linear = line[0], line[1]
    weights = linear.coef_[0] / scaler.scale_
    return {
        "weights": [round(float(one), 5) for one in weights],
        "bias": round(float(linear.intercept_[0] - weights @ scaler.mean_), 5),
        "seed": SEED,
        "data": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "measured": {
            "auroc": round(float(roc_auc_score(truth, chance)), 4),
            **{f"above_half_of_{one}": round(float((chance[kind == one] > 0.5).mean()), 4) for one in WEIGHTS},
            **{f"messages_of_{one}": int((kind == one).sum()) for one in WEIGHTS},
        },
    }


if __name__ == "__main__":
    (MODEL / EXASPERATION).write_text(json.dumps(fit(*messages()), indent=1) + "\n", encoding="utf-8")
