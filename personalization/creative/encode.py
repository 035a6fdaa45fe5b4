"""Encoders of films: H.264 with AAC in MP4, VP9 with Opus in WebM, and a small GIF. Colours are BT.709 and say so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from queue import Queue
from typing import Any

import av
import numpy as np
from av.filter import Graph

from personalization.creative.loudness import RATE, Samples
from personalization.creative.timeline import FPS

BT709 = 1
"""The number of BT.709 for primaries, transfer and matrix in ITU-T H.273; 1 is also the limited range of FFmpeg."""
GIF_FPS, GIF_WIDTH, GIF_COLOURS = 10, 240, 64
# one thread, and no code chosen by the processor: else the first frames differed by a few levels from run to run
_MP4 = {
    "preset": "veryfast",
    "crf": "21",
    "profile": "high",
    "bf": "2",
    "g": "60",
    "x264-params": "keyint=60:threads=1:cpu-independent=1",
}
_WEBM = {
    "deadline": "realtime",
    "cpu-used": "8",
    "row-mt": "1",
    "crf": "33",
    "b": "0",
    "tile-columns": "1",
    "lag-in-frames": "0",
}


class Movie:
    """An MP4 or a WebM that frames and sound go into; what comes out has its index at the front (MP4)."""

    def __init__(self, path: Path, size: tuple[int, int], sound: Samples) -> None:
        webm = path.suffix == ".webm"
        self._container = av.open(str(path), "w", options={} if webm else {"movflags": "+faststart"})
        video: Any = self._container.add_stream(
            "libvpx-vp9" if webm else "libx264", rate=FPS, options=_WEBM if webm else _MP4
        )
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.time_base = video.codec_context.time_base = Fraction(1, FPS)
        told = video.codec_context
        told.color_primaries = told.color_trc = told.colorspace = told.color_range = BT709
        told.thread_count = 2
        self._video = video
        self._audio: Any = self._container.add_stream("libopus" if webm else "aac", rate=RATE, layout="stereo")
        self._audio.bit_rate = 96_000 if webm else 128_000
        self._sound, self._heard = sound, 0

    def add(self, frame: Any) -> None:
        """Encode a frame (yuv420p, `pts` in frames) and the sound up to its end."""
        self._container.mux(self._video.encode(frame))
        self._hear(round((frame.pts + 1) * RATE / FPS))

    def close(self) -> None:
        """Write what is left."""
        self._container.mux(self._video.encode(None))
        self._hear(self._sound.shape[1])
        self._container.mux(self._audio.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Let go of the file, which is not whole."""
        self._container.close()

    def _hear(self, until: int) -> None:
        until = min(until, self._sound.shape[1])
        if until <= self._heard:
            return
        part = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(self._sound[:, self._heard : until]), format="fltp", layout="stereo"
        )
        part.sample_rate, part.pts, part.time_base = RATE, self._heard, Fraction(1, RATE)
        self._container.mux(self._audio.encode(part))
        self._heard = until


class Gif:
    """A small muted loop: every third frame, one palette for all of them."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self._path = path
        self._size = (GIF_WIDTH, 2 * round(GIF_WIDTH * size[1] / size[0] / 2))
        if size[0] > size[1]:
            self._size = (2 * round(GIF_WIDTH * size[0] / size[1] / 2), GIF_WIDTH)
        self._frames: list[Any] = []

    def add(self, frame: Any) -> None:
        """Keep a frame, made small, if it is shown."""
        if frame.pts % (FPS // GIF_FPS) == 0:
            small = frame.reformat(*self._size, "rgb24", interpolation="AREA", src_colorspace="ITU709")
            small.pts, small.time_base = len(self._frames), Fraction(1, GIF_FPS)
            self._frames.append(small)

    def close(self) -> None:
        """Choose the palette and write the file."""
        graph: Any = Graph()
        source = graph.add_buffer(
            width=self._size[0], height=self._size[1], format="rgb24", time_base=Fraction(1, GIF_FPS)
        )
        split, sink = graph.add("split"), graph.add("buffersink")
        palette = graph.add("palettegen", f"max_colors={GIF_COLOURS}:stats_mode=full:reserve_transparent=0")
        use = graph.add("paletteuse", "dither=none:diff_mode=rectangle")
        source.link_to(split)
        split.link_to(palette, 0, 0)
        split.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        for frame in self._frames:
            source.push(frame)
        source.push(None)
        with av.open(str(self._path), "w", format="gif", options={"loop": "0"}) as container:
            stream: Any = container.add_stream("gif", rate=GIF_FPS)
            stream.width, stream.height, stream.pix_fmt = *self._size, "pal8"
            for place in range(len(self._frames)):
                frame = sink.pull()
                frame.pts, frame.time_base = place, Fraction(1, GIF_FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        self._frames.clear()

    def abandon(self) -> None:
        """Forget the frames."""
        self._frames.clear()


class Lane:
    """An encoder on a thread of its own: FFmpeg works without Python's lock while the next frames are drawn."""

    def __init__(self, encoder: Movie | Gif) -> None:
        self._encoder = encoder
        self._queue: Queue[Any] = Queue(maxsize=8)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="film encoder", daemon=True)
        self._thread.start()

    def add(self, frame: Any) -> None:
        """Hand a frame over; waits where the encoder is slower."""
        self._queue.put(frame)

    def close(self) -> None:
        """Wait for the end; raises what went wrong."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """Wait for the thread and drop what it made."""
        self._queue.put("abandon")
        self._thread.join()

    def _run(self) -> None:
        finish: Callable[[], None] = self._encoder.abandon
        while (frame := self._queue.get()) is not None:
            if isinstance(frame, str):
                break
            if self._error is None:
                try:
                    self._encoder.add(frame)
                except Exception as error:  # noqa: BLE001  raised again by close()
                    self._error = error
        else:
            finish = self._encoder.close if self._error is None else self._encoder.abandon
        try:
            finish()
        except Exception as error:  # noqa: BLE001  raised again by close()
            self._error = self._error or error


def canvas_frame(size: tuple[int, int]) -> tuple[Any, Any]:
    """Return a BGRA array (Skia's own order) to draw on, and the frame that shares its memory."""
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    return pixels, av.VideoFrame.from_numpy_buffer(pixels, format="bgra")


def converted(frame: Any, pts: int) -> Any:
    """Return the frame as encoders want it: 4:2:0, BT.709, limited range."""
    made = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    made.pts, made.time_base = pts, Fraction(1, FPS)
    return made
