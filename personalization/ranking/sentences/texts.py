"""The catalogue's distinct texts as vectors, made by training; and as serving searches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personalization.ranking.sentences import nearest
from personalization.ranking.sentences.encoder import Encoder, Pretrained
from personalization.ranking.sentences.wordpiece import WordPiece

NAME = "all-MiniLM-L6-v2"
ENCODER, TOKENIZER, VECTORS, GRAPH = "sentence_encoder.onnx", "sentence_tokenizer.json", "text_vectors.npz", "text_graph.npy"  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextVectors:
    """What training leaves. vectors : (texts, 384) float16 of length 1; text : (items,) each item's row of `vectors`."""

    pretrained: Pretrained
    vectors: NDArray[np.float16]
    text: NDArray[np.int32]

    @property
    def many(self) -> bool:
        """Whether the texts are too many to compare a query with each."""
        return len(self.vectors) > nearest.MOST_EXACT

    def write(self, folder: Path) -> None:
        """Write the vectors, the encoder of queries, and the graph where there are many texts."""
        (folder / ENCODER).write_bytes(self.pretrained.quick)
        (folder / TOKENIZER).write_text(self.pretrained.tokenizer)
        np.savez(folder / VECTORS, vectors=self.vectors, text=self.text)
        if self.many:
            np.save(folder / GRAPH, nearest.Approximate.of(self.vectors.astype(np.float32)).dump())


@dataclass(frozen=True, slots=True)
class Sentences:
    """What serving asks. text : (items,) each item's position among the texts that `index` finds."""

    encoder: Encoder
    index: nearest.Nearest
    text: NDArray[np.int32]


def fit(products: pl.DataFrame, models: Path, progress: Callable[[float], None] = lambda _share: None) -> TextVectors:
    """Return the vectors of the products' texts (columns: see `TrainingSource`), in the order of the product ids.

    `models` is the folder that `aisle models pull` fills. Raises OSError or ValueError when the model cannot be had there.
    """
    pretrained = Pretrained.load(models)
    texts, text = np.unique(np.array(product_texts(products.sort("product_id")), np.str_), return_inverse=True)
    encoder = Encoder(pretrained.whole, WordPiece.from_tokenizer_json(pretrained.tokenizer))
    vectors = encoder.all(texts.tolist(), progress)
    return TextVectors(pretrained, vectors.astype(np.float16), text.astype(np.int32))


def read(folder: Path) -> Sentences | None:
    """Return what `TextVectors.write` wrote, None when it wrote nothing there."""
    if not (folder / VECTORS).exists():
        return None
    wordpiece = WordPiece.from_tokenizer_json((folder / TOKENIZER).read_text())
    with np.load(folder / VECTORS, allow_pickle=False) as parts:
        vectors, text = parts["vectors"], parts["text"]
    index: nearest.Nearest
    if (folder / GRAPH).exists():
        index = nearest.Approximate.load(np.load(folder / GRAPH, allow_pickle=False))
    else:
        index = nearest.Exact(vectors)
    return Sentences(Encoder((folder / ENCODER).read_bytes(), wordpiece), index, text)


def product_texts(products: pl.DataFrame) -> list[str]:
    """Return what is embedded of each product: its name up to the package size, its category and its brand."""
    columns = products.select("name", "package_size", "category", "brand").iter_rows()
    return [
        ", ".join(dict.fromkeys(part for part in (_without(name, size), category, brand) if part))
        for name, size, category, brand in columns
    ]


def _without(name: str, size: str) -> str:
    """Return the name without the package size at its end."""
    return name.removesuffix(size).rstrip(" ,-") or name if size else name
