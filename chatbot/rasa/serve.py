"""`rasa run` without TensorFlow where nothing of the project uses it: runs inside Rasa's own environment.

Rasa imports TensorFlow whatever its pipeline is made of. Our components do without, so a name stands in for it: a start takes half
of the processor time (and a restart that much less from the shoppers), and a process 360 MB less. A project with other components
gets Rasa as it is.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import MutableSequence
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path(__file__).with_name("config.yml")
ABSENT = ("tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text", "keras")
WITHOUT = (
    "components.",
    "WhitespaceTokenizer",
    "RegexFeaturizer",
    "RegexEntityExtractor",
    "EntitySynonymMapper",
    "RulePolicy",
    "MemoizationPolicy",
)
"""Beginnings of the names of what needs no TensorFlow."""


class _Kind(type):
    """A class to derive from, or to name in a type; whoever calls it or its kind is told what is missing."""

    def __getattr__(cls, name: str) -> Any:
        return _made(cls, name)

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{cls.__name__} needs TensorFlow, which is not loaded while this project is served")


class _Module(types.ModuleType):
    __path__: MutableSequence[str] = []  # noqa: RUF012 - what Python's own is

    def __getattr__(self, name: str) -> Any:
        return _made(self, name)


def _made(owner: Any, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    made = _Kind(name, (), {})
    setattr(owner, name, made)
    return made


class _Stand(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module that holds nothing for every name in ABSENT and below."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Return a module's specification."""
        del path, target
        ours = fullname.partition(".")[0] in ABSENT
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if ours else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return the module."""
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Leave it empty."""


def needs_tensorflow(config: Path = CONFIG) -> bool:
    """Whether the project has a part that is not known to do without."""
    read = yaml.safe_load(config.read_text(encoding="utf-8"))
    parts = [str(part.get("name")) for key in ("pipeline", "policies") for part in read.get(key) or ()]
    return not parts or not all(part.startswith(WITHOUT) for part in parts)


def main() -> None:
    """Do what `rasa` does with the same arguments."""
    if not needs_tensorflow():
        sys.meta_path.insert(0, _Stand())
    from rasa.__main__ import main as rasa  # noqa: PLC0415 - only now it finds what stands in

    rasa()


if __name__ == "__main__":
    main()
