"""What a shopper can want: the list of `intents.yaml`, which training data, rules and handlers follow."""

from __future__ import annotations

from pathlib import Path

import yaml

_GROUPS: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
INTENTS: dict[str, str] = {name: about for group in _GROUPS.values() for name, about in group.items()}
"""Every intent and what it means."""
BY_BUTTON: frozenset[str] = frozenset(_GROUPS["by_button_only"])
"""Intents that only a button sends; they are never guessed from text."""
