"""Model cards: what each model is for and not for, and how good it was measured to be, read from its own manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from personalization.artifacts import Artifacts

_SHIPPED = {"emotion": ("chatbot.emotion", "model/manifest.json"), "faces": ("vision", "calibration.json")}


def cards(artifacts: Artifacts | None) -> list[dict[str, Any]]:
    """Return every card with its version, when it was made, from which data, and its figures; none of these where nothing is trained."""
    return [_card(dict(one), artifacts) for one in _written()]


def _card(card: dict[str, Any], artifacts: Artifacts | None) -> dict[str, Any]:
    kind, wanted = card.pop("manifest"), card.pop("figures")
    manifest = _shipped(kind) if kind in _SHIPPED else (artifacts.manifest if artifacts is not None else {})
    made = manifest.get("made", {})
    at = manifest.get("made_at") or manifest.get("at") or (made.get("at") if isinstance(made, dict) else None)
    seed = manifest.get("seed", made.get("seed") if isinstance(made, dict) else None)
    figures = [found for path in wanted if (found := _figure(manifest, path)) is not None]
    return {
        **card, "trained_here": kind == "trained", "there": bool(manifest), "version": manifest.get("version"), "made_at": at, "seed": seed,
        "data_sha256": manifest.get("data_sha256"), "figures": figures,
    }  # fmt: skip


def _figure(manifest: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    found: Any = manifest
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    low = high = count = None
    if isinstance(found, Mapping) and "mean" in found:
        (low, high), count, found = found.get("ci") or (None, None), found.get("n"), found["mean"]
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return {"name": path, "value": found, "low": low, "high": high, "n": count}


@cache
def _written() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(files("api").joinpath("model_cards.yml").read_text("utf-8"))
    return found


@cache
def _shipped(kind: str) -> dict[str, Any]:
    package, name = _SHIPPED[kind]
    found: dict[str, Any] = json.loads(files(package).joinpath(name).read_text("utf-8"))
    return found
