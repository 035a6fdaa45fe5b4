"""Reading CSV and Parquet files into frames of text, with the number of each row's line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

import polars as pl

from stores.errors import ImportFileError

LINE = "__line"
BROKEN = "__problem_row"
CHUNK = 100_000
_RAGGED = "more fields than defined"


class _Reader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...


def read_table(path: Path) -> pl.DataFrame:
    """Return the file's rows with a column `__line`, and `__problem_row` where rows are broken; ImportFileError otherwise.

    A CSV file's lines count from 1 with the header, as an editor shows them; a Parquet file's rows count from 1.
    """
    try:
        return _read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path).with_row_index(LINE, offset=1)
    except (pl.exceptions.PolarsError, OSError, csv.Error, UnicodeDecodeError) as error:
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "; save it as UTF-8" if "utf-8" in first_line.lower() else ""
        raise ImportFileError(f"{path.name} could not be read: {first_line}{hint}") from error


def _read_csv(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise ImportFileError(f"{path.name} is empty; its first line names the columns") from None
    except pl.exceptions.ComputeError as error:
        if _RAGGED not in str(error):
            raise
        return _read_ragged(path)
    return _numbered(frame).filter(~pl.all_horizontal(pl.exclude(LINE).is_null()))


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the number of the line on which each row starts; a cell with line breaks in it takes several lines."""
    breaks = pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0)).cast(pl.Int64)
    taken = 1 + breaks.cum_sum().shift(1, fill_value=0) + pl.int_range(1, pl.len() + 1)
    return frame.select(taken.alias(LINE), pl.all())


def _read_ragged(path: Path) -> pl.DataFrame:
    """Read a file in which some rows have too many cells, row by row: slower, but it can tell which."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        schema = {LINE: pl.Int64, BROKEN: pl.String, **dict.fromkeys(header, pl.String)}
        rows, parts = _numbered_rows(reader, len(header)), list[pl.DataFrame]()
        while part := list(islice(rows, CHUNK)):
            parts.append(pl.DataFrame(part, schema=schema, orient="row"))
    return pl.concat(parts, rechunk=True)


def _numbered_rows(reader: _Reader, width: int) -> Iterator[list[str | int | None]]:
    """Yield (line, problem or None, cells, filled up or cut to `width`)."""
    line = reader.line_num + 1
    for cells in reader:
        if cells:
            extra = len(cells) - width
            problem = f"has {len(cells)} cells, the header has {width}" if extra > 0 else None
            yield [line, problem, *(cell or None for cell in cells[:width]), *[None] * -extra]
        line = reader.line_num + 1
