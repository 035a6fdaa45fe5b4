"""Files that people write, as YAML, read by libyaml: the pure Python reader takes a second for what the chat says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """Return what the file holds; OSError or yaml.YAMLError when it cannot be read."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
