"""Artifacts that were damaged on the disk: serving says so and goes on with what can be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from personalization import artifacts
from personalization.artifacts import ArtifactError
from personalization.training import train
from tests.personalization.fakes import FakeDecisions
from tests.personalization.test_core import SmallSource, decide, dependencies


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "artifacts"
    train(SmallSource(), folder, seed=1, progress=lambda *_: None)
    # a shop this small has no ranking models; what stands for them here is as unreadable as a truncated one
    (folder / "predictors.json").write_text('{"features": [')
    (folder / "ensemble.onnx").write_bytes(b"half of a model")
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "artifacts"))


@pytest.mark.parametrize("content", [b"", b"\x00garbage", None])
@pytest.mark.parametrize("sealed", [True, False])
def test_what_nothing_works_without_is_told_in_one_line(folder: Path, content: bytes | None, sealed: bool) -> None:
    for path in sorted(folder.iterdir()):
        if artifacts._part(path.name) is not None or path.name == artifacts.DIGESTS:
            continue
        kept = path.read_bytes()
        if sealed:
            artifacts.seal(folder)
        else:
            (folder / artifacts.DIGESTS).unlink(missing_ok=True)
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(ArtifactError, match="run `aisle train`"):
            artifacts.load(folder)
        path.write_bytes(kept)


def test_models_that_cannot_be_read_leave_the_sources_and_every_decision_says_so(folder: Path) -> None:
    (folder / artifacts.DIGESTS).unlink()  # nothing foretells the damage: the reader itself stumbles
    (folder / "churn.json").write_text("{")
    found = artifacts.load(folder)
    assert set(found.broken) == {"ranking", "churn"}
    assert (found.ranking.best, found.churn) == ("sources", None)
    told = decide(dependencies(broken={"ranking": found.broken["ranking"]}, decisions=FakeDecisions()))
    assert told.slate
    assert [(f.component, f.used) for f in told.fallbacks] == [("ranking", "sources")]


def test_a_damaged_file_is_not_even_opened(folder: Path) -> None:
    artifacts.seal(folder)
    (folder / "ensemble.onnx").write_bytes(b"half")
    (folder / "predictors.json").unlink()
    assert artifacts.load(folder).broken == {"ranking": "missing or damaged: ensemble.onnx, predictors.json"}


def test_without_the_search_by_meaning_only_questions_are_marked() -> None:
    deps = dependencies(broken={"similar": "damaged"})
    assert [f.component for f in decide(deps, query="milk").fallbacks] == ["source similar"]
    assert decide(deps).fallbacks == ()
