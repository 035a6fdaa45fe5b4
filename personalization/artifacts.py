"""What training leaves and serving loads: NumPy arrays and JSON in one folder, nothing that runs code when it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from personalization.profiling.churn.model import ChurnModel
from personalization.profiling.features.embedding import BasketEmbedding
from personalization.profiling.spending import SpendingModel

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class ArtifactError(Exception):
    """The artifacts are missing or do not fit together; `aisle train` makes them."""


@dataclass(frozen=True)
class Items:
    """The catalogue as training saw it. All arrays run over items in the same order.

    product_ids : (n,) str; category : (n,) int32 into `categories`; popularity : (n,) float32 in [0, 1]; buyers : (n,)
    int32, households of the last eight weeks; factors : (n, f) float32, zero where an item was too rare to learn;
    store_popularity : (s, n) sparse float32 in [0, 1] for the s `stores`.
    """

    product_ids: NDArray[np.str_]
    categories: NDArray[np.str_]
    category: Ints
    popularity: Floats
    buyers: Ints
    factors: Floats
    regularization: float
    alpha: float
    stores: NDArray[np.str_]
    store_popularity: csc_matrix

    @cached_property
    def index(self) -> dict[str, int]:
        """Product id to position."""
        return {str(product_id): position for position, product_id in enumerate(self.product_ids)}

    @cached_property
    def store_index(self) -> dict[str, int]:
        """Store id to row of `store_popularity`."""
        return {str(store_id): position for position, store_id in enumerate(self.stores)}

    @cached_property
    def gram(self) -> NDArray[np.float64]:
        """Item factors' Gram matrix YᵀY, (f, f)."""
        wide = self.factors.astype(np.float64)
        gram: NDArray[np.float64] = wide.T @ wide
        return gram


@dataclass(frozen=True)
class Artifacts:
    """Everything that serving needs, and the manifest that says where it came from."""

    items: Items
    search_terms: dict[str, int]
    search_matrix: csc_matrix
    segments: dict[str, Any]
    churn: ChurnModel | None
    spending: SpendingModel | None
    embedding: BasketEmbedding
    rules: dict[str, Any]
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
        scalars = {name: float(arrays.pop(name)) for name in ("regularization", "alpha")}
        items = Items(
            **arrays,
            **scalars,  # type: ignore[arg-type]
            store_popularity=load_sparse(folder / "store_popularity.npz"),
        )
        return Artifacts(
            items=items,
            search_terms=json.loads((folder / "search_terms.json").read_text()),
            search_matrix=load_sparse(folder / "search.npz"),
            segments=json.loads((folder / "segments.json").read_text()),
            churn=ChurnModel.from_json(churn.read_text()) if (churn := folder / "churn.json").exists() else None,
            spending=SpendingModel.from_json(spending.read_text())
            if (spending := folder / "spending.json").exists()
            else None,
            embedding=BasketEmbedding(json.loads((folder / "embedding.json").read_text())),
            rules=json.loads((folder / "rules.json").read_text()),
            manifest=json.loads((folder / "manifest.json").read_text()),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"the trained artifacts in {folder} cannot be used ({error}); run `aisle train`") from error
