"""Films: beats, cuts, loudness, files, and what goes wrong."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from personalization.creative import beats as listening
from personalization.creative.audio import Track, cut, read_track
from personalization.creative.beats import beats_of
from personalization.creative.brand import BrandKit
from personalization.creative.encode import canvas_frame
from personalization.creative.errors import CreativeError
from personalization.creative.film import Film, FilmCancelledError, draw_frame, make_film, plan_film
from personalization.creative.loudness import RATE, integrated, normalised, true_peak
from personalization.creative.motion import ease, enter, pulse
from personalization.creative.picture import drawing
from personalization.creative.poster import Material
from personalization.creative.space import DIMENSIONS, Space
from personalization.creative.stage import Stage
from personalization.creative.studio import Design, inputs_of
from personalization.creative.timeline import FPS, LONGEST_S, SHORTEST_S, reading_s
from personalization.creative.tune import tune
from personalization.creative.words import Facts, by_key, messages

HONEY = Facts("Golden Honey", "$4.99", "$6.49", "", "", "23%", "", "Honey", "", stock=True, food=True)
BRAND = BrandKit("Fresh & Co", 155.0, legal="While stocks last.")
SMALL = 320


def design(facts: Facts = HONEY, seed: int = 3, language: str = "en", **given: str) -> Design:
    picture = drawing("honey-pot")
    texts = messages(facts, BRAND, language)
    space = Space(inputs_of(facts, picture, BRAND, texts, film=True, aspects=("9:16",)))
    spec = space.sample(np.random.default_rng(seed), given={"easing": "out_cubic", **given})
    return Design(spec, Material(facts, by_key(texts)[spec["message"]], picture, BRAND, language))


def clicks(bpm: float, seconds: float, first: float = 0.0) -> tuple[Track, np.ndarray]:
    """A track of short noises on the beat, every fourth with a thump."""
    samples = np.zeros((2, round(seconds * RATE)), np.float32)
    times = np.arange(first, seconds - 0.3, 60 / bpm)
    t = np.arange(round(0.15 * RATE)) / RATE
    rng = np.random.default_rng(1)
    for number, time in enumerate(times):
        sound = 0.4 * rng.normal(0, 1, len(t)) * np.exp(-60 * t) + (number % 4 == 0) * 0.8 * np.sin(
            2 * np.pi * 55 * t
        ) * np.exp(-12 * t)
        begin = round(time * RATE)
        samples[:, begin : begin + len(t)] += sound.astype(np.float32)
    return Track(np.clip(samples, -1, 1), f"clicks {bpm} {first}"), times


def wav(samples: np.ndarray, codec: str = "pcm_s16le", kind: str = "wav") -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as container:
        stream: Any = container.add_stream(codec, rate=RATE, layout="stereo")
        resampler = av.AudioResampler(
            stream.codec_context.format.name if stream.codec_context.format else "s16", "stereo", RATE
        )
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE, 0
        for one in resampler.resample(frame):
            container.mux(stream.encode(one))
        container.mux(stream.encode(None))
    return out.getvalue()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return make_film(
        design(motion="slide", rhythm="every_second"),
        tmp_path_factory.mktemp("film"),
        track=tune(1),
        seconds=8,
        height=SMALL,
    )


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_the_loudness_meter_agrees_with_the_standard() -> None:
    t = np.arange(20 * RATE) / RATE
    sine = np.sin(2 * np.pi * 997 * t).astype(np.float32)[None]
    assert integrated(sine) == pytest.approx(-3.01, abs=0.02)  # ITU-R BS.1770: 997 Hz at 0 dBFS in one channel
    stereo = np.repeat(sine, 2, 0) * 10 ** (-23 / 20)
    assert integrated(stereo) == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341, case 1
    quiet_between = np.concatenate(
        [stereo[:, : 10 * RATE] * 10 ** (-13 / 20), stereo * 1.0, stereo[:, : 10 * RATE] * 10 ** (-13 / 20)], axis=1
    )
    assert integrated(quiet_between) == pytest.approx(-23.0, abs=0.1)  # case 3: what is quiet is gated


@pytest.mark.parametrize("level", [0.01, 0.2, 1.0])
def test_every_track_comes_to_one_loudness_and_never_clips(level: float) -> None:
    rng = np.random.default_rng(4)
    music = (tune(2).samples[:, : 8 * RATE] + 0.02 * rng.normal(0, 1, (2, 8 * RATE))).astype(np.float32) * np.float32(
        level
    )
    loud = normalised(music)
    assert integrated(loud) == pytest.approx(-16, abs=0.5)
    assert true_peak(loud) <= -1.0


@pytest.mark.parametrize(("bpm", "first"), [(96.0, 0.0), (120.0, 0.21), (132.0, 0.1)])
def test_beats_and_bars_are_found_where_they_are(bpm: float, first: float) -> None:
    track, times = clicks(bpm, 16, first)
    found = beats_of(track)
    inner = [time for time in found.times if 1 < time < 14]
    assert found.clear
    assert max(min(abs(time - click) for click in times) for time in inner) <= 1 / FPS
    bars = [time for place, time in enumerate(found.times) if found.is_downbeat(place) and 1 < time < 14]
    assert all(min(abs(time - thump) for thump in times[::4]) <= 1 / FPS for time in bars)


def test_what_does_not_pulse_gets_an_even_grid() -> None:
    rng = np.random.default_rng(5)
    noise = Track(rng.normal(0, 0.1, (2, 12 * RATE)).astype(np.float32), "noise")
    found = beats_of(noise)
    assert not found.clear
    assert np.ptp(np.diff(found.times)) < 1e-3


def test_a_track_is_listened_to_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    track, _ = clicks(110, 10)
    first = beats_of(track, tmp_path)
    listening.forget()
    monkeypatch.setattr(listening, "_found", lambda _: pytest.fail("it was listened to again"))
    assert beats_of(track, tmp_path) == first


def test_tracks_in_the_usual_formats_are_read() -> None:
    samples = tune(1).samples[:, : 4 * RATE]
    for codec, kind in (
        ("pcm_s16le", "wav"),
        ("flac", "flac"),
        ("libopus", "ogg"),
        ("libmp3lame", "mp3"),
        ("aac", "ipod"),
    ):
        track = read_track(wav(samples, codec, kind))
        assert track.seconds == pytest.approx(4, abs=0.1), kind


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "bad-track"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt broken", "bad-track"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/secret.ts\n", "bad-track"),
        (wav(np.zeros((2, 480), np.float32)), "track-too-short"),
        (wav(np.zeros((2, 4 * RATE), np.float32)), "silent-track"),
    ],
    ids=["empty", "broken", "playlist", "no seconds", "silent"],
)
def test_a_track_that_cannot_be_used_is_refused_in_words(content: bytes, code: str) -> None:
    with pytest.raises(CreativeError) as refused:
        read_track(content)
    assert refused.value.code == code
    assert len(str(refused.value)) > 20


@pytest.mark.parametrize("rhythm", [rhythm for rhythm in DIMENSIONS["rhythm"] if rhythm != "still"])
def test_cuts_lie_on_beats_and_words_stand_long_enough(rhythm: str) -> None:
    track, clicked = clicks(112, 24)
    board = plan_film(design(rhythm=rhythm), track, 10)
    assert 3 <= len(board.shots) <= 6
    assert SHORTEST_S <= board.time.seconds <= LONGEST_S
    for place in range(1, len(board.shots)):
        heard = board.time.start + board.time.first_frame(place) / FPS
        assert min(abs(heard - click) for click in clicked) <= 1.5 / FPS  # a frame, and the rounding of the beat itself
    known = {"Fresh & Co"}
    for place, shot in enumerate(board.shots):
        stands = (board.time.first_frame(place + 1) - board.time.first_frame(place)) / FPS
        assert stands >= reading_s([text for text in shot.texts if text not in known])
        known |= set(shot.texts)


def test_shots_are_of_one_look_and_of_different_composition() -> None:
    board = plan_film(design(rhythm="bars"), tune(1), 10)
    specs = [shot.poster.spec for shot in board.shots]
    assert len({spec["layout"] for spec in specs}) == len(specs)
    assert len({(spec["scheme"], spec["anchor"], spec["type"]) for spec in specs}) == 1
    assert any(layer.role == "legal" for layer in board.shots[-1].poster.layers)
    assert board.shots[-1].part == "end"


def test_a_short_track_is_repeated_and_a_long_name_makes_a_longer_film() -> None:
    track, _ = clicks(120, 5)
    assert plan_film(design(), track, 10).time.seconds >= SHORTEST_S
    long = replace(HONEY, name="Cold-pressed extra virgin olive oil from old trees, first harvest, in a dark bottle")
    board = plan_film(design(long), tune(1), 8)
    assert any(long.name in shot.texts for shot in board.shots)


def test_arabic_reads_from_the_right_in_films_too() -> None:
    board = plan_film(design(replace(HONEY, name="عسل ذهبي"), language="ar"), tune(1), 10)
    assert board.shots[-1].part == "end"


def test_files_are_whole_and_say_what_they_are(film: Film) -> None:
    for kind, video, audio in (("mp4", "h264", "aac"), ("webm", "vp9", "opus")):
        with av.open(str(film.files[kind])) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name.replace("libvpx-", ""), stream.pix_fmt) == (video, "yuv420p")
            assert (stream.width, stream.height) == (180, 320)
            assert container.streams.audio[0].codec_context.name.replace("lib", "") == audio
        with av.open(str(film.files[kind])) as container:
            first = next(container.decode(video=0))
            assert first.colorspace == 1  # BT.709
            sound = np.concatenate(
                [frame.to_ndarray() for frame in av.open(str(film.files[kind])).decode(audio=0)], axis=1
            )
        assert len(decoded(film.files[kind])) == film.board.time.frames
        assert sound.shape[1] / RATE == pytest.approx(film.board.time.seconds, abs=0.1)
        assert integrated(sound) == pytest.approx(-16, abs=1)
        assert true_peak(sound) <= -1
        assert np.abs(sound[:, -960:]).max() < 0.02  # it fades out
    head = film.files["mp4"].read_bytes()[:64_000]
    assert 0 < head.find(b"moov") < head.find(b"mdat")
    assert film.files["gif"].stat().st_size < 3_000_000
    assert not av.open(str(film.files["gif"])).streams.audio
    assert film.files["jpg"].read_bytes()[:2] == b"\xff\xd8"
    assert film.files["vtt"].read_text().startswith("WEBVTT\n\n00:00:00.000 --> ")


def test_colours_survive_the_way_to_the_screen(film: Film) -> None:
    stage = Stage(film.board, drawing("honey-pot"), SMALL)
    place = film.board.time.frames - 15
    drawn = draw_frame(stage, place).toarray()[..., 2::-1].astype(float)
    seen = decoded(film.files["mp4"])[place].astype(float)
    assert np.abs(drawn - seen).mean() < 4


def test_the_same_inputs_give_the_same_frames(film: Film, tmp_path: Path) -> None:
    again = make_film(
        design(motion="slide", rhythm="every_second"),
        tmp_path,
        track=tune(1),
        seconds=8,
        height=SMALL,
        formats=("mp4",),
    )
    digests = [
        hashlib.sha256(b"".join(frame.tobytes() for frame in decoded(one.files["mp4"]))).hexdigest()
        for one in (film, again)
    ]
    assert again.film_id == film.film_id
    assert digests[0] == digests[1]


def test_nothing_flashes(film: Film) -> None:
    """WCAG 2.2, 2.3.1: in no second more than three pairs of opposite changes of luminance over a quarter of the picture."""
    light = []
    for frame in decoded(film.files["mp4"]):
        linear = (frame[: 320 // 20 * 20, :180].reshape(16, 20, 9, 20, 3).mean((1, 3)) / 255) ** 2.2
        light.append(linear @ np.array([0.2126, 0.7152, 0.0722]))
    series = np.array(light).reshape(len(light), -1)
    flashes = np.array(
        [
            [len(turns(series[begin : begin + FPS, cell])) // 2 for cell in range(series.shape[1])]
            for begin in range(0, len(series) - FPS, 10)
        ]
    )
    assert ((flashes > 3).mean(1) < 0.25).all()


def turns(values: np.ndarray) -> list[float]:
    """Opposite changes by a tenth of full light, where the darker one is under 0.8."""
    found: list[float] = []
    low = high = float(values[0])
    way = 0
    for value in map(float, values):
        low, high = min(low, value), max(high, value)
        if way <= 0 and value - low >= 0.1 and low < 0.8:
            found.append(value)
            way, high = 1, value
        elif way >= 0 and high - value >= 0.1 and value < 0.8:
            found.append(value)
            way, low = -1, value
        if way == 1:
            low = value if value > high else low
    return found


def test_the_product_grows_on_the_beat_and_is_back_before_the_next(film: Film) -> None:
    accents = film.board.time.accents
    assert all(later - sooner >= 1 / 3 for (sooner, _), (later, _) in pairwise(accents))
    time, _ = accents[-1]
    assert pulse(time + 0.05, accents) > 1.02
    assert pulse(time + 0.34, accents[-1:]) == 1


def test_every_motion_begins_elsewhere_and_comes_to_rest() -> None:
    for motion in DIMENSIONS["motion"]:
        for easing in DIMENSIONS["easing"]:
            assert enter(motion, easing, 5.0) == enter("still", "still", 1.0)
            assert 0 <= enter(motion, easing, 0.05).alpha <= 1
    assert len({enter(motion, "in_out", 0.1) for motion in DIMENSIONS["motion"]}) == len(DIMENSIONS["motion"])
    assert len({ease(easing, 0.3) for easing in DIMENSIONS["easing"]}) == len(DIMENSIONS["easing"])


def test_progress_grows_to_one(tmp_path: Path) -> None:
    told: list[float] = []
    make_film(design(), tmp_path, track=tune(1), seconds=6, height=160, formats=("gif",), progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_a_cancelled_film_leaves_nothing(tmp_path: Path) -> None:
    told: list[float] = []
    with pytest.raises(FilmCancelledError):
        make_film(
            design(),
            tmp_path,
            track=tune(1),
            seconds=6,
            height=160,
            progress=told.append,
            cancelled=lambda: len(told) > 20,
        )
    assert list(tmp_path.iterdir()) == []


def test_wrong_wishes_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(CreativeError, match="6 to 15 s"):
        make_film(design(), tmp_path, track=tune(1), seconds=60)
    with pytest.raises(CreativeError, match="mp4, webm"):
        make_film(design(), tmp_path, formats=("avi",))


def test_the_sound_is_cut_with_fades() -> None:
    part = cut(tune(1), 2.0, 6.0)
    assert part.shape == (2, 6 * RATE)
    assert np.abs(part[:, :10]).max() < 0.02
    assert np.abs(part[:, -200:]).max() < 0.02


def test_frames_are_drawn_into_the_encoder_s_own_memory() -> None:
    pixels, frame = canvas_frame((180, 320))
    pixels[:] = (10, 20, 200, 255)
    assert frame.to_ndarray(format="rgb24")[5, 5].tolist() == [200, 20, 10]
