"""Whose name a track carries, and for how long, when the tracker mixes people up or somebody holds up a picture."""

from __future__ import annotations

from collections.abc import Callable, Set

import numpy as np
import pytest

from vision.faces import Face, Frame, Template, unit
from vision.gallery import Gallery
from vision.graph import Look
from vision.liveness.turn import Turn
from vision.observation import Observation
from vision.pipeline import Pipeline
from vision.quality import Quality
from vision.stages import Express, Live, Recognise
from vision.stages.recognise import AGAIN_S, LOOKS, RECHECK_S
from vision.tracks import ExpressionState, Track

THRESHOLD = 0.45
FRAME = np.zeros((480, 640, 3), np.uint8)
ANNA, BEN, STRANGER = (np.eye(3, dtype=np.float32)[n] for n in range(3))
WORSE_ANNA = unit(0.3 * ANNA + 0.95 * STRANGER)
"""A picture of Anna that is like nobody, and yet more like her than strangers are."""
FACE = Face((100, 100, 80, 110), np.array([[120, 140], [160, 140], [140, 165], [125, 190], [157, 190]], np.float32), 0.9, None)  # fmt: skip
GOOD = Quality(1, 1, 1, 0.8)


class Engine:
    """Makes the template that the test names."""

    name = "fake"

    def __init__(self) -> None:
        self.template: Template = ANNA
        self.faces = [FACE]

    def detect(self, frame: Frame) -> list[Face]:
        return list(self.faces)

    def embed(self, frame: Frame, face: Face) -> Template:
        return self.template


class Always:
    """Liveness that says what the test says, and notes when it has to begin anew."""

    def __init__(self) -> None:
        self.says: bool | None = True
        self.forgotten: list[int] = []

    def check(self, track_id: int, frame: Frame, face: Face, *, at: float) -> bool | None:
        return self.says

    def keep(self, tracks: Set[int]) -> None:
        pass

    def forget(self, track_id: int) -> None:
        self.forgotten.append(track_id)


def track(number: int = 1, face: Face | None = FACE) -> Track:
    return Track(number, 0.0, 0.0, face=face, quality=GOOD)


def gallery(staff: tuple[Template, ...] = ()) -> Gallery:
    return Gallery([("anna", ANNA), ("ben", BEN)], THRESHOLD, staff=staff)


class Before:
    """The stages that say who it is, on tracks of the test's."""

    def __init__(self, *tracks: Track, known: Gallery | None = None, life: Always | None = None) -> None:
        self.engine, self.tracks, self.at, self.known = Engine(), list(tracks), 0.0, known or gallery()
        self._live = None if life is None else Live(life)
        self._recognise = Recognise(self.engine, lambda: self.known, waits_for_life=life is not None)

    def see(self, template: Template, *, after: float = 0.0) -> None:
        self.engine.template, self.at = template, self.at + after
        look = Look(FRAME, self.at, tracks=self.tracks)
        if self._live is not None:
            self._live(look)
        self._recognise(look)


@pytest.mark.parametrize(
    ("template", "then"), [(STRANGER, [None]), (WORSE_ANNA, ["anna", None]), (BEN, ["ben"])],
    ids=["a stranger", "a poor picture of hers, twice", "another member"],
)  # fmt: skip
def test_a_name_does_not_stay_with_who_is_not_like_it(template: Template, then: list[str | None]) -> None:
    anna = track()
    before = Before(anna)
    before.see(ANNA)
    assert anna.member_id == "anna"
    said = []
    for after in (RECHECK_S, AGAIN_S)[: len(then)]:
        before.see(template, after=after)
        said.append(anna.member_id)
    assert said == then


def test_one_poor_picture_between_good_ones_costs_nobody_their_name() -> None:
    anna = track()
    before = Before(anna)
    for template, after in ((ANNA, 0.0), (WORSE_ANNA, RECHECK_S), (ANNA, AGAIN_S), (WORSE_ANNA, RECHECK_S)):
        before.see(template, after=after)
        assert anna.member_id == "anna"


def test_one_member_is_in_one_place() -> None:
    first, second = track(1), track(2)
    before = Before(first, second)
    before.see(unit(ANNA + 0.5 * STRANGER))
    before.see(ANNA, after=AGAIN_S)
    assert (first.member_id, second.member_id) == (None, "anna"), "the more alike of the two"
    hidden = track(3, face=None)
    hidden.member_id, hidden.similarity = "ben", 1.0
    alone = Before(hidden, track(4))
    alone.see(unit(BEN + 0.5 * STRANGER))
    assert [one.member_id for one in alone.tracks] == [None, "ben"], "who is in sight, not who was"


def test_a_picture_of_a_member_before_a_face_that_proved_to_be_alive_is_not_alive() -> None:
    somebody, life = track(), Always()
    before = Before(somebody, life=life)
    before.see(STRANGER)
    said = [(somebody.member_id, somebody.live)]
    before.see(ANNA, after=AGAIN_S)
    said.append((somebody.member_id, somebody.live))
    life.says = None
    before.see(ANNA, after=AGAIN_S)
    said.append((somebody.member_id, somebody.live))
    assert (said, life.forgotten) == ([(None, True), (None, None), (None, None)], [1])
    life.says = True
    before.see(ANNA, after=AGAIN_S)
    assert somebody.member_id == "anna", "a living face that is hers"


def test_a_picture_that_takes_the_place_of_another_member_is_not_alive_either() -> None:
    somebody, life = track(), Always()
    before = Before(somebody, life=life)
    said = []
    for template, after in ((BEN, 0.0), (ANNA, RECHECK_S)):
        before.see(template, after=after)
        said.append((somebody.member_id, somebody.live))
    assert said == [("ben", True), (None, None)]


def test_whoever_was_out_of_sight_proves_again_that_they_live() -> None:
    """Through the whole pipeline: the face is lost for a moment, as when a picture is pushed before it."""
    life, engine = Always(), Engine()
    faces = engine.faces
    engine_frame = np.full((480, 640, 3), 128, np.uint8)
    engine_frame[::7, ::5] = 20
    pipeline = Pipeline(engine, None, lambda _member: False, liveness=life)

    known = gallery()

    def see(start: float, frames: int) -> Observation:
        return [pipeline.observe(engine_frame, known, at=start + n / 10) for n in range(frames)][-1]

    assert [(one.live, one.member_id) for one in see(0.0, 4).people] == [(True, "anna")]
    faces.clear()
    see(0.5, 2)
    faces.append(FACE)
    life.says = None
    back = see(0.8, 2)
    assert [(one.live, one.member_id) for one in back.people] == [(None, None)]
    assert life.forgotten != []


def test_a_turn_of_the_head_counts_for_whom_it_was_seen_of() -> None:
    turn = Turn()
    turn._lived.add(1)
    assert turn.check(1, FRAME, FACE, at=0.0) is True
    turn.forget(1)
    assert turn.check(1, FRAME, FACE, at=0.1) is None


class Reader:
    """An expression model that notes that it was asked."""

    def __init__(self, *chances: float) -> None:
        self.asked = 0
        self.chances = np.array(chances or (0.0, 0.0, 0.0, 1.0), np.float32)

    def predict(self, frame: Frame, face: Face) -> np.ndarray:
        self.asked += 1
        return self.chances


def express(one: Track, known: Gallery, may_read: Callable[[str | None], bool] = lambda _member: True) -> int:
    reader = Reader()
    Express(reader, may_read, lambda: known)(Look(FRAME, one.seen + 1, tracks=[one]))  # type: ignore[arg-type]
    return reader.asked


def test_nobody_is_read_before_it_is_known_whether_they_are_a_member_who_said_no() -> None:
    fresh = track()
    assert express(fresh, gallery()) == 0
    assert express(fresh, Gallery([], THRESHOLD)) == 1, "where nobody is known, nobody said no"
    looked_at = track()
    looked_at.looks = 1
    assert express(looked_at, gallery()) == 1


def test_of_an_unclear_face_no_class_is_told_and_its_valence_with_how_little_certain_it_is() -> None:
    told = []
    for reader in (Reader(0.1, 0.3, 0.05, 0.55), Reader(0.02, 0.04, 0.02, 0.92)):
        pipeline = Pipeline(Engine(), reader, lambda _member: True)  # type: ignore[arg-type]
        told.append([pipeline.observe(FRAME, Gallery([], THRESHOLD), at=n / 10) for n in range(4)][-1].people[0])
    unclear, clear = told
    assert (unclear.expression, unclear.valence) == (None, pytest.approx(-0.45, abs=0.01))
    assert (clear.expression, clear.valence) == ("negative", pytest.approx(-0.9, abs=0.01))
    assert (unclear.certainty or 0) < 0.3 < (clear.certainty or 0)


def test_what_was_read_of_a_stranger_goes_when_they_prove_to_be_a_member() -> None:
    somebody = track()
    before = Before(somebody)
    before.see(STRANGER)
    somebody.expression = ExpressionState((0.0, -9.0, -9.0, -9.0), 0.1, "negative")
    before.see(ANNA, after=AGAIN_S)
    assert (somebody.member_id, somebody.expression.logs) == ("anna", None)


def test_who_may_be_of_the_staff_is_told_to_nobody_before_they_were_looked_at() -> None:
    engine, staff = Engine(), gallery(staff=(STRANGER,))
    pipeline = Pipeline(engine, None, lambda _member: False)
    dark = np.zeros((480, 640, 3), np.uint8)  # too dark to be looked at
    seen = [pipeline.observe(dark, staff, at=n / 10).people for n in range(4)]
    assert seen == [(), (), (), ()]
    assert len(pipeline.observe(dark, gallery(), at=0.5).people) == 1, "where no staff is known, somebody is there"


def test_one_of_the_staff_stays_one_until_the_next_look_at_them() -> None:
    ana = track()
    before = Before(ana, known=gallery(staff=(STRANGER,)))
    before.see(STRANGER)
    assert ana.staff
    ana.quality = Quality(1, 0, 1, 1)  # no picture that could be looked at
    before.known = gallery(staff=(STRANGER,))
    before.see(STRANGER, after=AGAIN_S)
    assert (ana.staff, ana.looks) == (True, 0)
    before.known = gallery()
    before.see(STRANGER, after=AGAIN_S)
    assert not ana.staff, "there is no staff any more"


def test_a_stranger_is_still_left_alone_after_some_looks() -> None:
    somebody = track()
    before = Before(somebody)
    for _ in range(LOOKS + 5):
        before.see(STRANGER, after=AGAIN_S)
    assert somebody.looks == LOOKS
