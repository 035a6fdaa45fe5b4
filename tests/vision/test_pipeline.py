"""The real networks on real faces: who is there, who is a stranger, who left, and whose expression may be read."""

from __future__ import annotations

from pathlib import Path

import cv2
import insightface
import numpy as np
import pytest

from tests.vision.fake_camera import HEIGHT, WIDTH, astronaut, person, shelf
from vision.engines import Frame, OpenCvEngine
from vision.enrol import make_template
from vision.errors import EnrolmentError, ModelError
from vision.expression import Expression, ExpressionModel
from vision.gallery import Gallery
from vision.pipeline import GONE_AFTER_S, LOOKS_TO_GIVE_UP, RECHECK_S, Pipeline

MEMBER, THRESHOLD = "member-1", 0.45


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> OpenCvEngine:
    return OpenCvEngine(models_dir)


@pytest.fixture(scope="module")
def gallery(engine: OpenCvEngine) -> Gallery:
    template = make_template(engine, [person(astronaut(), shift) for shift in (-12, 0, 12)])
    return Gallery([(MEMBER, template)], THRESHOLD)


def somebody_else() -> Frame:
    """A man's portrait that the insightface package installs; BGR."""
    path = Path(insightface.__file__).parent / "data" / "images" / "Tom_Hanks_54745.png"
    return np.asarray(cv2.imread(str(path)), np.uint8)


def watch(engine: OpenCvEngine) -> Pipeline:
    return Pipeline(engine, None, lambda _member: False)


def test_a_member_is_recognised_and_a_stranger_is_nobody(engine: OpenCvEngine, gallery: Gallery) -> None:
    seen = watch(engine).observe(person(astronaut(), 20), gallery, at=0)
    assert (seen.present, seen.member_id) == (True, MEMBER)
    assert seen.similarity is not None
    assert seen.similarity > THRESHOLD
    stranger = watch(engine).observe(person(somebody_else()), gallery, at=0)
    assert (stranger.present, stranger.member_id) == (True, None)


def test_nobody_is_seen_before_an_empty_shelf(engine: OpenCvEngine, gallery: Gallery) -> None:
    assert not watch(engine).observe(shelf(), gallery, at=0).present


def test_a_missed_frame_is_no_departure_but_two_seconds_are(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline = watch(engine)
    pipeline.observe(person(astronaut()), gallery, at=0)
    blink = pipeline.observe(shelf(), gallery, at=GONE_AFTER_S - 0.1)
    assert (blink.present, blink.member_id) == (True, MEMBER)
    assert not pipeline.observe(shelf(), gallery, at=GONE_AFTER_S + 0.1).present
    back = pipeline.observe(person(astronaut()), gallery, at=GONE_AFTER_S + 5)
    assert back.track_id != blink.track_id


def test_a_revoked_template_makes_a_stranger_of_who_still_stands_there(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline = watch(engine)
    assert pipeline.observe(person(astronaut()), gallery, at=0).member_id == MEMBER
    assert pipeline.observe(person(astronaut()), Gallery([], THRESHOLD), at=0.2).member_id is None


def test_recognition_runs_once_per_person_and_again_only_now_and_then(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline = watch(engine)
    frame = person(astronaut())
    assert "recognise" in pipeline.observe(frame, gallery, at=0).stages_ms
    assert "recognise" not in pipeline.observe(frame, gallery, at=1).stages_ms
    again = [pipeline.observe(frame, gallery, at=at).stages_ms for at in np.arange(1, RECHECK_S + 1, 1.0)]
    assert sum("recognise" in stages for stages in again) == 0
    assert "recognise" in pipeline.observe(frame, gallery, at=RECHECK_S + 0.5).stages_ms


def test_a_stranger_is_not_looked_at_for_ever(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline, frame = watch(engine), person(somebody_else())
    looks = [pipeline.observe(frame, gallery, at=number * 0.1).stages_ms for number in range(LOOKS_TO_GIVE_UP + 5)]
    assert sum("recognise" in stages for stages in looks) == LOOKS_TO_GIVE_UP


def test_no_expression_is_inferred_of_who_did_not_agree(
    engine: OpenCvEngine, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, models_dir: Path
) -> None:
    model, read = ExpressionModel(models_dir), []
    predict = model.predict

    def counted(*args: object) -> Expression:
        read.append(args)
        return predict(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "predict", counted)
    asked: list[str | None] = []

    def refuse(member_id: str | None) -> bool:
        asked.append(member_id)
        return False

    seen = Pipeline(engine, model, refuse).observe(person(astronaut()), gallery, at=0)
    assert (seen.valence, seen.expression, read, asked) == (None, None, [], [MEMBER])
    seen = Pipeline(engine, model, lambda _member: True).observe(person(astronaut()), gallery, at=0)
    assert seen.valence is not None
    assert seen.expression == "happy"  # she beams
    assert len(read) == 1


@pytest.mark.parametrize(
    ("frames", "word"),
    [
        ([shelf()] * 4, "No face"),
        ([np.hstack([cv2.resize(astronaut(), (HEIGHT, HEIGHT))] * 2)] * 4, "several people"),
        ([cv2.copyMakeBorder(cv2.resize(astronaut(), (130, 130)), 0, HEIGHT - 130, 0, WIDTH - 130, cv2.BORDER_REPLICATE)] * 4, "closer"),
        ([person(astronaut())] * 2, "No face"),
    ],
    ids=["nobody", "two people", "far away", "too few pictures"],
)  # fmt: skip
def test_an_enrolment_says_what_is_wrong_with_the_pictures(
    engine: OpenCvEngine, frames: list[Frame], word: str
) -> None:
    with pytest.raises(EnrolmentError, match=word):
        make_template(engine, frames)


def test_two_people_in_turn_are_not_one_template(engine: OpenCvEngine) -> None:
    with pytest.raises(EnrolmentError, match="too different"):
        make_template(engine, [person(astronaut())] * 2 + [person(somebody_else())] * 2)


def test_an_engine_without_its_files_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="aisle models pull"):
        OpenCvEngine(tmp_path)
