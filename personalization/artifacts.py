"""What training leaves and serving loads: NumPy arrays and JSON in one folder, nothing that runs code when it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.profiling.churn.model import ChurnModel
from personalization.profiling.features.embedding import BasketEmbedding
from personalization.profiling.spending import SpendingModel
from personalization.ranking import learning
from personalization.ranking.items import Items
from personalization.ranking.scoring import Models
from personalization.ranking.sentences import texts
from personalization.ranking.sentences.texts import Sentences

DIGESTS = "digests.json"
NEVER_READ = frozenset({"ensemble_curves.jsonl", "ensemble.int8.onnx"})
_PARTS = {
    "predictor": "ranking", "ensemble": "ranking", "tokenizer": "ranking", "sentence": "sentences", "text_vectors": "sentences",
    "text_graph": "sentences", "churn": "churn", "spending": "spending",
    "response": "coupons",
}  # fmt: skip
T = TypeVar("T")


class ArtifactError(Exception):
    """The artifacts are missing or do not fit together; `aisle train` makes them."""


@dataclass(frozen=True)
class Artifacts:
    """Everything that serving needs, and the manifest that says where it came from.

    `sentences` is None where training found no sentence encoder. `broken` tells, by part (ranking, sentences, churn,
    spending, coupons), why it could not be read; serving goes on without it.
    """

    items: Items
    search_terms: dict[str, int]
    search_matrix: csc_matrix
    sentences: Sentences | None
    segments: dict[str, Any]
    churn: ChurnModel | None
    spending: SpendingModel | None
    embedding: BasketEmbedding
    rules: dict[str, Any]
    ranking: Models
    response: ResponseModel
    manifest: dict[str, Any]
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The training run's name."""
        return str(self.manifest["version"])


def save_sparse(path: Path, matrix: csc_matrix) -> None:
    """Write a sparse matrix as plain arrays."""
    np.savez(path, data=matrix.data, indices=matrix.indices, indptr=matrix.indptr, shape=np.array(matrix.shape))


def load_sparse(path: Path) -> csc_matrix:
    """Read what `save_sparse` wrote."""
    with np.load(path, allow_pickle=False) as parts:
        return csc_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=tuple(parts["shape"]))


def seal(folder: Path) -> None:
    """Write the SHA-256 of every file, so that `load` opens no damaged one: some of the libraries behind would crash on it."""
    found = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name != DIGESTS}
    (folder / DIGESTS).write_text(json.dumps(found, indent=1))


def load(folder: Path) -> Artifacts:
    """Read the artifacts in `folder`; ArtifactError when what nothing works without is missing or broken."""
    broken: dict[str, str] = {}
    try:
        damaged = _damaged(folder)

        def part(name: str, read: Callable[[], T], instead: T) -> T:
            hurt = [file for file in damaged if _part(file) == name]
            try:
                if not hurt:
                    return read()
                broken[name] = f"missing or damaged: {', '.join(hurt)}"
            except Exception as error:  # noqa: BLE001 - each library has errors of its own, and the rest can be used
                broken[name] = f"{type(error).__name__}: {error}"[:200]
            return instead

        if hurt := [file for file in damaged if _part(file) is None]:
            raise ArtifactError(f"missing or damaged: {', '.join(hurt)}")
        with np.load(folder / "items.npz", allow_pickle=False) as parts:
            arrays = {name: parts[name] for name in parts.files}
        items = Items(
            **arrays,
            neighbours=csr_matrix(load_sparse(folder / "neighbours.npz")),
            store_popularity=load_sparse(folder / "store_popularity.npz"),
        )
        return Artifacts(
            items=items,
            search_terms=json.loads((folder / "search_terms.json").read_text()),
            search_matrix=load_sparse(folder / "search.npz"),
            sentences=part("sentences", lambda: texts.read(folder), None),
            segments=json.loads((folder / "segments.json").read_text()),
            churn=part("churn", lambda: _if_there(folder / "churn.json", ChurnModel.from_json), None),
            spending=part("spending", lambda: _if_there(folder / "spending.json", SpendingModel.from_json), None),
            embedding=BasketEmbedding(json.loads((folder / "embedding.json").read_text())),
            rules=json.loads((folder / "rules.json").read_text()),
            ranking=part("ranking", lambda: learning.read(folder), Models()),
            response=part("coupons", lambda: _if_there(folder / "response.json", ResponseModel.from_json), None)
            or ResponseModel(PriorResponse()),
            manifest=json.loads((folder / "manifest.json").read_text()),
            broken=broken,
        )
    except Exception as error:
        raise ArtifactError(f"the trained artifacts in {folder} cannot be used ({error}); run `aisle train`") from error


def _if_there(path: Path, read: Callable[[str], T]) -> T | None:
    return read(path.read_text()) if path.exists() else None


def _part(file: str) -> str | None:
    """Return the part that a file belongs to, which serving can do without; None for what it needs."""
    return next((part for start, part in _PARTS.items() if file.startswith(start)), None)


def _damaged(folder: Path) -> list[str]:
    """Return the files that are not what training wrote; none where it left no digests."""
    if not (folder / DIGESTS).exists():
        return []
    told: dict[str, str] = json.loads((folder / DIGESTS).read_text())
    return [name for name, digest in told.items() if name not in NEVER_READ and digest != _digest(folder / name)]


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
