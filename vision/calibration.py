"""What was measured once and is used at every frame: thresholds with the errors that they cost, and the expression's scale.

`aisle vision calibrate` writes the file, from labelled folders; the shipped one names its data, seed and figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vision.errors import ModelError

FILE = Path(__file__).with_name("calibration.json")


@dataclass(frozen=True, slots=True)
class Recognition:
    """The least cosine similarity of a match, and what it cost where it was chosen.

    `far`: share of pairs of strangers that match (its 95 % upper bound in `far_at_most`); `tar`: share of pairs of one person that do.
    """

    threshold: float
    far: float
    far_at_most: float
    tar: float


@dataclass(frozen=True, slots=True)
class ExpressionScale:
    """See `vision.expression.four`. `least`: the probability below which no expression is told."""

    temperature: float
    least: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds by engine name, the expression's scale, and how both came about."""

    recognition: Mapping[str, Recognition]
    expression: ExpressionScale
    made: Mapping[str, Any]

    def threshold(self, engine: str) -> float:
        """Return the engine's threshold; ModelError when it was never calibrated, since a guess may let strangers in."""
        if engine not in self.recognition:
            raise ModelError(
                f"the engine {engine} was never calibrated; run `aisle vision calibrate --faces DIR`, or set AISLE_VISION_MATCH_THRESHOLD"
            )
        return self.recognition[engine].threshold

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def load(path: Path) -> Calibration:
    """Read a file that `save` wrote; ModelError when it is none."""
    try:
        raw = json.loads(path.read_text())
        return Calibration(
            {name: Recognition(**found) for name, found in raw["recognition"].items()},
            ExpressionScale(**raw["expression"]),
            raw["made"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is no calibration ({error}); run `aisle vision calibrate` to make one") from error


@cache
def shipped() -> Calibration:
    """Return the calibration that came with this release."""
    return load(FILE)
