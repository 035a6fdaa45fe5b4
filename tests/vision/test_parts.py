"""The pipeline's parts by themselves: gallery, liveness, quality, outbox, calibration."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.vision.fake_camera import astronaut, person
from vision.calibration import Calibration, load, shipped
from vision.engines import make_engine
from vision.engines.opencv import OpenCvEngine
from vision.errors import ModelError
from vision.evaluation import ece, eer, tar_at
from vision.expression import collapse, four
from vision.faces import Face, Frame, unit
from vision.gallery import Gallery
from vision.liveness import make_liveness
from vision.liveness.turn import Turn
from vision.outbox import MOST, Outbox
from vision.quality import judge, turned

RNG = np.random.default_rng(11)


def vectors(count: int, size: int = 128) -> list[NDArray[np.float32]]:
    return [unit(row) for row in RNG.normal(size=(count, size)).astype(np.float32)]


def test_two_members_who_cannot_be_told_apart_are_nobody() -> None:
    [anna, other] = vectors(2)
    twin = unit(anna + 0.02 * other)
    assert Gallery([("anna", anna)], 0.4).match(anna) is not None
    assert Gallery([("anna", anna), ("twin", twin)], 0.4).match(anna) is None
    several = Gallery([("anna", anna), ("anna", twin), ("ben", other)], 0.4).match(anna)
    assert several is not None
    assert several.member_id == "anna", "several templates of one member are no rivals"


def test_a_large_gallery_finds_the_same_members_as_comparing_every_template() -> None:
    members = vectors(3000)
    entries = [(f"m{number}", vector) for number, vector in enumerate(members)]
    exact, quick = Gallery(entries, 0.6), Gallery(entries, 0.6, exact_up_to=1000)
    probes = [unit(vector + 0.06 * noise) for vector, noise in zip(members[:200], vectors(200), strict=True)]
    slow = [found and found.member_id for found in map(exact.match, probes)]
    assert slow == [f"m{number}" for number in range(200)]
    assert [found and found.member_id for found in map(quick.match, probes)] == slow


def turned_head(degrees: float, flat: bool) -> Face:
    """Five landmarks of a head, or of a photograph of it, that turns about its vertical axis, as a camera at 10 times its depth sees it."""
    depth = 0.0 if flat else 0.55
    head = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.62, -depth], [-0.4, 1.15, 0], [0.42, 1.15, 0]])
    turn = np.radians(degrees)
    x = head[:, 0] * np.cos(turn) - head[:, 2] * np.sin(turn)
    z = head[:, 0] * np.sin(turn) + head[:, 2] * np.cos(turn)
    seen = np.stack([x, head[:, 1]], axis=1) / (1 + z / 10)[:, None]
    return Face((100, 100, 80, 110), (seen * 40 + 120).astype(np.float32), 0.9, None)


@pytest.mark.parametrize("rate", [5, 10])
@pytest.mark.parametrize("seconds", [2.0, 4.0])
@pytest.mark.parametrize(("flat", "lives"), [(False, True), (True, False)])
def test_a_head_that_turns_lives_and_a_photograph_that_is_turned_does_not(
    flat: bool, lives: bool, seconds: float, rate: int
) -> None:
    """25 degrees to both sides, in so many seconds, as often as cameras look, with a detector that is off by half a pixel."""
    liveness, frame, rng = Turn(), np.zeros((2, 2, 3), np.uint8), np.random.default_rng(3)
    said = []
    for step in range(8 * rate):
        at = step / rate
        face = turned_head(25 * np.sin(2 * np.pi * at / seconds), flat)
        slips = rng.normal(0, 0.5, face.landmarks.shape).astype(np.float32)
        moved = np.array([30 * np.sin(at), 10 * np.cos(at)], np.float32)  # who turns also sways, and a print is moved
        said.append(liveness.check(1, frame, replace(face, landmarks=face.landmarks + slips + moved), at=at))
    assert said[0] is None
    assert said[-1] is lives


@pytest.mark.parametrize("tilt", [0.0, 0.5, 1.0])
def test_a_printed_photograph_of_a_real_face_is_refused_however_it_is_held(models_dir: Path, tilt: float) -> None:
    engine, liveness, said = OpenCvEngine(models_dir), Turn(), []
    photo = cv2.resize(astronaut(), (300, 300))
    for step in range(70):
        frame = np.full((480, 640, 3), 128, np.uint8)
        swing = tilt * 45 * np.sin(step / 6)
        corners = np.array(
            [[170 + swing, 90], [470 - swing, 90 + swing], [470 - swing, 390 - swing], [170 + swing, 390]]
        )
        homography = cv2.getPerspectiveTransform(
            np.array([[0, 0], [300, 0], [300, 300], [0, 300]], np.float32), corners.astype(np.float32)
        )
        cv2.warpPerspective(photo, homography, (640, 480), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        said += [liveness.check(1, frame, face, at=step / 10) for face in engine.detect(frame)[:1]]
    assert len(said) > 50
    assert True not in said
    assert said[-1] is False


def minifas(path: Path, live: float) -> None:
    """A network with MiniFASNet's inputs and outputs that always says the same."""
    logits = helper.make_tensor("logits", TensorProto.FLOAT, [1, 3], [0.0, live, 0.0])
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
         helper.make_node("Mul", ["mean", "zero"], ["nothing"]), helper.make_node("Add", ["logits", "nothing"], ["output"])],
        "minifas", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 80, 80])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 3])],
        [logits, helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.mark.parametrize(("live", "lives"), [(5.0, True), (-5.0, False)])
def test_an_operators_own_liveness_files_are_asked(tmp_path: Path, live: float, lives: bool) -> None:
    with pytest.raises(ModelError, match=r"MiniFASNetV2\.onnx and MiniFASNetV1SE\.onnx"):
        make_liveness("minifas", tmp_path)
    for name in ("MiniFASNetV2.onnx", "MiniFASNetV1SE.onnx"):
        minifas(tmp_path / name, live)
    plugin = make_liveness("minifas", tmp_path)
    assert plugin is not None
    said = [plugin.check(1, person(astronaut()), turned_head(0, flat=False), at=step / 10) for step in range(6)]
    assert (said[0], said[-1]) == (None, lives)


def test_quality_falls_with_every_fault_and_names_it(models_dir: Path) -> None:
    engine, good = OpenCvEngine(models_dir), person(astronaut())

    def quality(frame: Frame) -> Any:
        return judge(frame, engine.detect(frame)[0])

    best = quality(good)
    blurred = quality(np.asarray(cv2.GaussianBlur(good, (0, 0), 5), np.uint8))
    dark = quality((good * 0.15).astype(np.uint8))
    small = np.full((480, 640, 3), 128, np.uint8)
    small[:80, :80] = cv2.resize(astronaut(), (80, 80))
    assert best.score > 0.7
    assert (blurred.worst, dark.worst, quality(small).worst) == ("sharpness", "light", "size")
    assert max(blurred.score, dark.score, quality(small).score) < best.score
    assert turned(turned_head(0, flat=False)) < 0.1 < turned(turned_head(35, flat=False))


class Api:
    """Answers like the api, or not at all."""

    def __init__(self) -> None:
        self.away, self.got, self.tried = threading.Event(), [], threading.Event()

    def __call__(self, seen: dict[str, Any]) -> None:
        if self.away.is_set():
            self.tried.set()
            raise httpx.ConnectError("nobody there")
        self.got.append(seen)


def test_what_was_accepted_while_the_api_was_away_arrives_once_and_in_order() -> None:
    api = Api()
    api.away.set()
    with Outbox(api) as outbox:
        for number in range(50):
            outbox.put([{"track_id": number, "member_id": None}])
        assert api.tried.wait(5)
        assert api.got == []
        api.away.clear()
    assert [seen["people"][0]["track_id"] for seen in api.got] == list(range(50))
    assert len({seen["observation_id"] for seen in api.got}) == 50


def test_an_outbox_is_bounded_and_keeps_who_came_and_until_when() -> None:
    outbox = Outbox(Api())  # not started: nothing leaves
    for track in range(4):
        for _ in range(MOST):
            outbox.put([{"track_id": track, "member_id": None}])
    assert len(outbox) == MOST
    api = Api()
    outbox._send = api  # only now may it leave
    with outbox:
        pass
    assert {seen["people"][0]["track_id"] for seen in api.got} == {0, 1, 2, 3}


def test_what_the_api_refuses_for_good_does_not_block_the_rest() -> None:
    got: list[Any] = []

    def send(seen: dict[str, Any]) -> None:
        if seen["people"] == []:
            request = httpx.Request("POST", "http://api")
            raise httpx.HTTPStatusError("no", request=request, response=httpx.Response(422, request=request))
        got.append(seen)

    with Outbox(send) as outbox:
        outbox.put([])
        outbox.put([{"track_id": 1, "member_id": None}])
    assert (len(got), outbox.lost) == (1, 1)


@given(st.lists(st.floats(-30, 30), min_size=7, max_size=7), st.floats(0.5, 10))
def test_four_probabilities_sum_to_one_and_a_higher_temperature_is_less_sure(
    logits: list[float], temperature: float
) -> None:
    seven = np.array(logits, np.float32)
    sharp, soft = four(seven, temperature), four(seven, temperature * 2)
    assert sharp.sum() == pytest.approx(1)
    assert soft.max() <= sharp.max() + 1e-9


def test_an_expression_that_is_not_clear_is_not_told() -> None:
    assert collapse([0.0, -0.1, -0.1, -0.1], least=0.5).clear is False
    sure = collapse([0.0, -5.0, -5.0, -5.0], least=0.5)
    assert (sure.clear, sure.label) == (True, "positive")
    assert sure.valence > 0.9
    assert sure.certainty > collapse([0.0, -1.0, -1.0, -1.0]).certainty


def test_figures_are_those_of_the_books() -> None:
    scores, same = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.35, 0.9, 0.95]), np.array([0, 0, 0, 0, 0, 1, 1, 1], bool)
    assert eer(scores, same) == pytest.approx((2 / 5 + 1 / 3) / 2)
    assert tar_at(scores, same, 0.0) == pytest.approx(2 / 3)
    assert tar_at(scores, same, 0.4) == 1.0
    assert ece(np.array([0.75, 0.75, 0.75, 0.75]), np.array([1, 1, 1, 0], bool)) == pytest.approx(0)


def test_a_calibration_survives_its_file_and_an_engine_without_one_is_refused(tmp_path: Path) -> None:
    shipped().save(tmp_path / "c.json")
    again: Calibration = load(tmp_path / "c.json")
    assert again == shipped()
    assert 0.3 < again.threshold("opencv-sface") < 0.6
    with pytest.raises(ModelError, match="never calibrated"):
        again.threshold("insightface-of-mine")
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(ModelError, match="no calibration"):
        load(tmp_path / "c.json")


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")  # insightface's own call
def test_insightface_with_free_weights_makes_the_same_templates_as_opencv(models_dir: Path) -> None:
    ours, theirs = make_engine("opencv", models_dir), make_engine("insightface", models_dir, "sface")
    frame = person(astronaut())
    [mine], [other] = ours.detect(frame), theirs.detect(frame)
    assert np.abs(np.array(mine.box) - np.array(other.box)).max() < 1
    assert float(ours.embed(frame, mine) @ theirs.embed(frame, other)) > 0.98
    assert shipped().threshold(theirs.name) == shipped().threshold(ours.name), (
        "one calibration and one gallery for both"
    )
    assert theirs.name == ours.name
    with pytest.raises(ModelError, match="non-commercial"):
        make_engine("insightface", models_dir, "buffalo_l")
