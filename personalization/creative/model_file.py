"""A predictor as bytes, and its move to a design that knows more options or audiences: parameters are found again by name."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from personalization.creative.features import Design, Floats
from personalization.creative.predictor import Predictor, Rests
from personalization.creative.priors import belief

FORMAT = 2  # in 1 variants of several campaigns that shared an id were one; it is learned again from the log


class ModelFileError(ValueError):
    """The bytes are no predictor of this format."""


def dump(predictor: Predictor) -> bytes:
    """Return the evidence as bytes: sums, so that nothing depends on when they were saved; float32 for the information."""
    predictor.settle()
    rests, n = predictor.rests, len(predictor.rests.rows)
    out = io.BytesIO()
    np.savez(
        out, format=FORMAT, design=json.dumps(_told(predictor.design)), variants=json.dumps(list(rests.rows)),
        information=predictor.information[np.tril_indices(predictor.design.d)].astype(np.float32), shift=predictor.shift,
        rests=np.stack([rests.shift[:n], rests.information[:n]]), scale=predictor.scale,
    )  # fmt: skip
    return out.getvalue()


def load(content: bytes, design: Design) -> Predictor:
    """Return the predictor, for what it knew and what `design` knows. Raises ModelFileError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            if int(found["format"]) != FORMAT:
                raise ModelFileError(f"format {int(found['format'])}, and this reads {FORMAT}")
            known = _design(json.loads(str(found["design"])))
            variants, rests = json.loads(str(found["variants"])), found["rests"]
            packed, shift, scale = found["information"].astype(float), found["shift"], found["scale"]
        d = known.d
        if packed.shape != (d * (d + 1) // 2,) or shift.shape != (d,) or rests.shape != (2, len(variants)):
            raise ModelFileError("its parts do not fit one another")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise ModelFileError(f"not a predictor: {error}") from error
    half = np.zeros((d, d))
    half[np.tril_indices(d)] = packed
    return _predictor(
        known.joined(design), known.names(), half + np.tril(half, -1).T, shift, _rests(variants, rests), scale
    )


def moved(predictor: Predictor, design: Design) -> Predictor:
    """Return the predictor for another design, with all evidence on what both know."""
    predictor.settle()
    return _predictor(
        design, predictor.design.names(), predictor.information, predictor.shift, predictor.rests, predictor.scale
    )


def _predictor(
    design: Design, names: Iterable[tuple[str, ...]], information: Floats, shift: Floats, rests: Rests, scale: Floats
) -> Predictor:
    places = {name: place for place, name in enumerate(design.names())}
    pairs = np.array([(old, places[name]) for old, name in enumerate(names) if name in places], np.int64).reshape(-1, 2)
    old, new = pairs.T
    found = Predictor(design, belief(design))
    found.information[np.ix_(new, new)] = information[np.ix_(old, old)]
    found.shift[new] = shift[old]
    found.rests = rests
    if scale.shape == found.scale.shape:  # else there is an attribute of audiences more, and kinds are learned anew
        found.scale = scale.copy()
    found.refresh()
    return found


def _rests(variants: list[str], sums: Floats) -> Rests:
    room = np.zeros((2, max(64, 2 * len(variants))))
    room[:, : len(variants)] = sums
    return Rests({name: row for row, name in enumerate(variants)}, room[0], room[1])


def _told(design: Design) -> dict[str, object]:
    return {
        "options": design.options,
        "attributes": design.attributes,
        "measures": design.measures,
        "pairs": design.pairs,
    }


def _design(told: dict[str, Any]) -> Design:
    options, attributes = (
        {key: tuple(found) for key, found in told[part].items()} for part in ("options", "attributes")
    )
    return Design(options, attributes, tuple(told["measures"]), tuple((one, other) for one, other in told["pairs"]))
