"""The real networks on real faces: who is there, who is a stranger, who left, and whose expression may be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import insightface
import numpy as np
import pytest

from tests.vision.fake_camera import HEIGHT, WIDTH, astronaut, person, shelf, side_by_side
from vision.engines.opencv import OpenCvEngine
from vision.enrol import make_template
from vision.errors import EnrolmentError, ModelError
from vision.expression import ExpressionModel
from vision.faces import Face, Frame, Template
from vision.gallery import Gallery
from vision.observation import Observation
from vision.pipeline import Pipeline
from vision.stages.follow import GONE_AFTER_S
from vision.stages.recognise import LOOKS

MEMBER, THRESHOLD = "member-1", 0.45
NOBODY_READS = lambda _member: False  # noqa: E731


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> OpenCvEngine:
    return OpenCvEngine(models_dir)


@pytest.fixture(scope="module")
def template(engine: OpenCvEngine) -> Template:
    return make_template(engine, [person(astronaut(), shift) for shift in (-12, 0, 12)])


@pytest.fixture
def gallery(template: Template) -> Gallery:
    return Gallery([(MEMBER, template)], THRESHOLD)


def somebody_else() -> Frame:
    """A man's portrait that the insightface package installs; BGR."""
    path = Path(insightface.__file__).parent / "data" / "images" / "Tom_Hanks_54745.png"
    return np.asarray(cv2.imread(str(path)), np.uint8)


class Counting:
    """An engine that counts how often it makes a template."""

    name = "opencv-sface"

    def __init__(self, engine: OpenCvEngine) -> None:
        self._engine, self.embedded = engine, 0

    def detect(self, frame: Frame) -> list[Face]:
        return self._engine.detect(frame)

    def embed(self, frame: Frame, face: Face) -> Template:
        self.embedded += 1
        return self._engine.embed(frame, face)


def watch(pipeline: Pipeline, frame: Frame, gallery: Gallery, *, start: float = 0.0, frames: int = 3) -> Observation:
    """What is seen after some frames at 10 a second."""
    seen = [pipeline.observe(frame, gallery, at=start + number / 10) for number in range(frames)]
    return seen[-1]


def only(seen: Observation) -> str | None:
    assert len(seen.people) == 1
    return seen.people[0].member_id


def test_a_member_is_recognised_and_a_stranger_is_nobody(engine: OpenCvEngine, gallery: Gallery) -> None:
    seen = watch(Pipeline(engine, None, NOBODY_READS), person(astronaut(), 20), gallery)
    assert only(seen) == MEMBER
    assert seen.people[0].similarity is not None
    assert seen.people[0].similarity > THRESHOLD
    assert only(watch(Pipeline(engine, None, NOBODY_READS), person(somebody_else()), gallery)) is None


def test_everybody_in_view_is_followed_and_only_the_member_known(engine: OpenCvEngine, gallery: Gallery) -> None:
    seen = watch(Pipeline(engine, None, NOBODY_READS), side_by_side(astronaut(), somebody_else()), gallery, frames=4)
    assert sorted(str(one.member_id) for one in seen.people) == ["None", MEMBER]
    assert len({one.track_id for one in seen.people}) == 2


def test_nobody_is_seen_before_an_empty_shelf(engine: OpenCvEngine, gallery: Gallery) -> None:
    assert not watch(Pipeline(engine, None, NOBODY_READS), shelf(), gallery).present


def test_a_missed_frame_is_no_departure_but_two_seconds_are(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline = Pipeline(engine, None, NOBODY_READS)
    there = watch(pipeline, person(astronaut()), gallery)
    assert only(watch(pipeline, shelf(), gallery, start=0.5, frames=14)) == MEMBER
    again = watch(pipeline, person(astronaut()), gallery, start=0.2 + GONE_AFTER_S - 0.3)
    assert [one.track_id for one in again.people] == [there.people[0].track_id], "hidden for long, and no second person"
    assert not watch(pipeline, shelf(), gallery, start=2.5 + GONE_AFTER_S, frames=1).present
    back = watch(pipeline, person(astronaut()), gallery, start=GONE_AFTER_S + 5)
    assert back.people[0].track_id != there.people[0].track_id


def test_a_slow_camera_with_one_frame_a_second_still_follows_people(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline = Pipeline(engine, None, NOBODY_READS)
    seen = [pipeline.observe(person(astronaut(), 4 * number), gallery, at=float(number)) for number in range(4)]
    assert only(seen[-1]) == MEMBER
    assert {one.track_id for each in seen for one in each.people} == {seen[-1].people[0].track_id}


def test_a_revoked_template_makes_a_stranger_of_who_still_stands_there(engine: OpenCvEngine, gallery: Gallery) -> None:
    pipeline = Pipeline(engine, None, NOBODY_READS)
    assert only(watch(pipeline, person(astronaut()), gallery)) == MEMBER
    assert only(watch(pipeline, person(astronaut()), Gallery([], THRESHOLD), start=0.3, frames=1)) is None


def test_recognition_runs_once_per_person_and_again_after_they_were_out_of_sight(
    engine: OpenCvEngine, gallery: Gallery
) -> None:
    counting = Counting(engine)
    pipeline = Pipeline(counting, None, NOBODY_READS)
    watch(pipeline, person(astronaut()), gallery, frames=30)
    assert counting.embedded == 1
    watch(pipeline, shelf(), gallery, start=3.0, frames=2)
    watch(pipeline, person(astronaut()), gallery, start=3.2, frames=10)
    assert counting.embedded == 2


def test_a_stranger_is_not_looked_at_for_ever(engine: OpenCvEngine, gallery: Gallery) -> None:
    counting = Counting(engine)
    watch(Pipeline(counting, None, NOBODY_READS), person(somebody_else()), gallery, frames=60)
    assert counting.embedded == LOOKS


def test_a_blurred_face_is_followed_and_not_recognised(engine: OpenCvEngine, gallery: Gallery) -> None:
    counting = Counting(engine)
    blurred = np.asarray(cv2.GaussianBlur(person(astronaut()), (0, 0), 7), np.uint8)
    seen = watch(Pipeline(counting, None, NOBODY_READS), blurred, gallery)
    assert (only(seen), counting.embedded) == (None, 0)


def test_staff_are_told_to_nobody_and_their_expression_is_never_inferred(
    engine: OpenCvEngine, template: Template, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, read = counted(ExpressionModel(models_dir), monkeypatch)
    staff = Gallery([], THRESHOLD, staff=[template])
    assert not watch(Pipeline(engine, model, lambda _member: True), person(astronaut()), staff, frames=5).present
    assert read == []
    watch(Pipeline(engine, model, lambda _member: True), person(somebody_else()), staff, frames=5)
    assert read != [], "who is known not to be of the staff may be read where a notice says so"


def test_who_stands_in_an_excluded_zone_is_not_seen(engine: OpenCvEngine, gallery: Gallery) -> None:
    counting = Counting(engine)
    everything = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    seen = watch(Pipeline(counting, None, NOBODY_READS, excluded=[everything]), person(astronaut()), gallery)
    assert (seen.people, counting.embedded) == ((), 0)


def counted(
    model: ExpressionModel, monkeypatch: pytest.MonkeyPatch
) -> tuple[ExpressionModel, list[tuple[object, ...]]]:
    """The model, and a list of what it was asked."""
    read: list[tuple[object, ...]] = []
    predict: Callable[..., object] = model.predict

    def noted(*args: object) -> object:
        read.append(args)
        return predict(*args)

    monkeypatch.setattr(model, "predict", noted)
    return model, read


def test_no_expression_is_inferred_of_who_did_not_agree(
    engine: OpenCvEngine, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, models_dir: Path
) -> None:
    model, read = counted(ExpressionModel(models_dir), monkeypatch)
    asked: list[str | None] = []

    def refuse(member_id: str | None) -> bool:
        asked.append(member_id)
        return False

    [seen] = watch(Pipeline(engine, model, refuse), person(astronaut()), gallery).people
    assert (seen.valence, seen.expression, read, asked[-1]) == (None, None, [], MEMBER)
    [seen] = watch(Pipeline(engine, model, lambda _member: True), person(astronaut()), gallery).people
    assert seen.expression == "positive"  # she beams
    assert seen.valence is not None
    assert seen.valence > 0.3


def test_a_withdrawn_consent_wipes_what_was_seen_of_the_expression(
    engine: OpenCvEngine, gallery: Gallery, models_dir: Path
) -> None:
    allowed = [True]
    pipeline = Pipeline(engine, ExpressionModel(models_dir), lambda _member: allowed[0])
    assert watch(pipeline, person(astronaut()), gallery).people[0].valence is not None
    allowed[0] = False
    assert watch(pipeline, person(astronaut()), gallery, start=0.3, frames=1).people[0].valence is None


def frames_to_survive() -> dict[str, Frame]:
    rng = np.random.default_rng(3)
    faces = np.vstack([np.hstack([cv2.resize(astronaut(), (160, 160))] * 8)] * 5)
    return {
        "black": np.zeros((HEIGHT, WIDTH, 3), np.uint8), "white": np.full((HEIGHT, WIDTH, 3), 255, np.uint8),
        "noise": rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8), "tiny": np.zeros((1, 1, 3), np.uint8),
        "a line": np.zeros((2, 900, 3), np.uint8), "grey": np.full((HEIGHT, WIDTH), 99, np.uint8),
        "8K": cv2.resize(person(astronaut()), (7680, 4320)), "forty faces": faces,
        "half a face at the border": np.roll(person(astronaut()), WIDTH // 2, axis=1),
    }  # fmt: skip


def test_no_frame_however_strange_stops_the_camera(engine: OpenCvEngine, gallery: Gallery, models_dir: Path) -> None:
    pipeline = Pipeline(engine, ExpressionModel(models_dir), lambda _member: True)
    at = 0.0
    for name, frame in frames_to_survive().items():
        for _ in range(2):
            at += 0.1
            assert pipeline.observe(frame, gallery, at=at).failed == (), name
    seen = watch(pipeline, person(astronaut()), gallery, start=at + GONE_AFTER_S + 1)
    assert MEMBER in {one.member_id for one in seen.people}


def test_a_stage_that_fails_is_named_and_the_others_go_on(
    engine: OpenCvEngine, gallery: Gallery, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ExpressionModel(models_dir)

    def broken(*_: object) -> None:
        raise RuntimeError("the network has no answer")

    monkeypatch.setattr(model, "predict", broken)
    seen = watch(Pipeline(engine, model, lambda _member: True), person(astronaut()), gallery)
    assert (only(seen), seen.failed) == (MEMBER, ("expression",))


@pytest.mark.parametrize(
    ("frames", "word"),
    [
        ([shelf()] * 4, "No face"),
        ([np.hstack([cv2.resize(astronaut(), (HEIGHT, HEIGHT))] * 2)] * 4, "several people"),
        ([cv2.copyMakeBorder(cv2.resize(astronaut(), (130, 130)), 0, HEIGHT - 130, 0, WIDTH - 130, cv2.BORDER_REPLICATE)] * 4, "closer"),
        ([np.asarray(cv2.GaussianBlur(person(astronaut()), (0, 0), 7), np.uint8)] * 4, "blurred"),
        ([(person(astronaut()) * 0.12).astype(np.uint8)] * 4, "light"),
        ([person(astronaut())] * 2, "No face"),
    ],
    ids=["nobody", "two people", "far away", "blurred", "dark", "too few pictures"],
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
