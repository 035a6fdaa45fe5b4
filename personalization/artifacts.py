"""What training leaves and serving loads: NumPy arrays and JSON in one folder, nothing that runs code when it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from personalization.profiling.churn.model import ChurnModel
from personalization.profiling.features.embedding import BasketEmbedding
from personalization.profiling.spending import SpendingModel
from personalization.ranking import learning
from personalization.ranking.items import Items
from personalization.ranking.scoring import Models
from personalization.ranking.sentences import texts
from personalization.ranking.sentences.texts import Sentences


class ArtifactError(Exception):
    """The artifacts are missing or do not fit together; `aisle train` makes them."""


@dataclass(frozen=True)
class Artifacts:
    """Everything that serving needs, and the manifest that says where it came from.

    `sentences` is None where training found no sentence encoder.
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
    manifest: dict[str, Any]

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


def load(folder: Path) -> Artifacts:
    """Read the artifacts in `folder`; ArtifactError when they are missing or broken."""
    try:
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
            sentences=texts.read(folder),
            segments=json.loads((folder / "segments.json").read_text()),
            churn=ChurnModel.from_json(churn.read_text()) if (churn := folder / "churn.json").exists() else None,
            spending=SpendingModel.from_json(spending.read_text())
            if (spending := folder / "spending.json").exists()
            else None,
            embedding=BasketEmbedding(json.loads((folder / "embedding.json").read_text())),
            rules=json.loads((folder / "rules.json").read_text()),
            ranking=learning.read(folder),
            manifest=json.loads((folder / "manifest.json").read_text()),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the trained artifacts in {folder} cannot be used ({error}); run `aisle train`") from error
