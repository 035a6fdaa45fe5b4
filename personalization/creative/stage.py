"""A film's frames: what does not change of a shot is drawn once, and put together with moves for every frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import skia

from personalization.creative.backdrop import OVER
from personalization.creative.focal import TILT, product_box
from personalization.creative.geometry import Box
from personalization.creative.motion import REST, WAIT_S, Pose, between, ease, enter, leave, live, parallax, pulse
from personalization.creative.picture import Picture
from personalization.creative.poster import Poster
from personalization.creative.storyboard import READ, Storyboard
from personalization.creative.timeline import FPS
from personalization.creative.typography import right_to_left

SHARPER = 1.15
"""How much larger than needed a product is drawn, as it comes nearer."""
FLY_S = 0.38
_FLYING = frozenset({"rise", "slide", "swing", "drop", "drift"})
"""Motions in which the product flies from its place in one shot to that in the next; in the others it comes on with a punch."""
_BEHIND = frozenset({"ground", "texture"})
_LINEAR = skia.SamplingOptions(skia.FilterMode.kLinear)


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn layer: its image, where it rests in film pixels, how many image pixels one is, and when it comes in."""

    role: str
    image: Any
    box: Box
    fine: float
    order: int


@dataclass(frozen=True, slots=True)
class _Scene:
    sprites: tuple[Sprite, ...]
    product: tuple[float, float, float]
    """Centre and size of the product, in film pixels."""
    tilt: float
    from_right: bool
    way: float
    behind: Any
    """Ground and texture, opaque, with room on all sides."""


class Stage:
    """Draws a storyboard's frames at a size, in order or not."""

    def __init__(self, board: Storyboard, picture: Picture, height: int) -> None:
        poster = board.shots[0].poster
        self.height = height
        self.width = 2 * round(height * poster.width / poster.height / 2)
        self.board, self._picture = board, picture
        self._scale = height / poster.height
        self._unit = min(self.width, self.height) / 100
        self._flies = board.spec["motion"] in _FLYING and picture.kind == "cutout"
        self._room = round(OVER / 2 * max(self.width, self.height))
        self._scenes = [self._scene(place, shot.poster) for place, shot in enumerate(board.shots)]

    def draw(self, canvas: Any, frame: int) -> None:
        """Draw a frame."""
        board = self.board
        shot = max(place for place in range(len(board.shots)) if board.time.first_frame(place) <= frame)
        scene, spec = self._scenes[shot], board.spec
        begin, end = board.time.first_frame(shot), board.time.first_frame(shot + 1)
        at, left, share = (frame - begin) / FPS, (end - frame) / FPS, (frame - begin) / max(end - begin - 1, 1)
        last = shot == len(board.shots) - 1
        wait = WAIT_S if self._flies and shot else 0.0  # words come when the product has passed
        beat = pulse(frame / FPS, board.time.accents)
        # by whole pixels: a copy, where a smooth move would cost more than all the rest
        dx, dy = (round(one * self._unit) - self._room for one in parallax(share, scene.way))
        canvas.drawImage(scene.behind, dx, dy)
        for sprite in scene.sprites:
            if sprite.role in {"product", "stand"}:
                pose = self._product(sprite, shot, at, share, beat)
            elif sprite.role == "shape":
                pose = REST if shot == 0 else Pose(dy=(1 - ease("out_cubic", at / 0.35)) * 22)
            elif sprite.role in READ or sprite.role == "veil":
                pose = enter(
                    spec["motion"] if sprite.role != "veil" else "still",
                    spec["easing"],
                    at - wait,
                    order=sprite.order,
                    from_right=scene.from_right,
                )
                if not last:
                    pose = pose.and_then(leave(left))
                if sprite.role in {"action", "big_price"} and share > 0.35:
                    pose = pose.and_then(Pose(scale=1 + 0.7 * (beat - 1)))
            else:
                pose = REST
            self._put(canvas, sprite, pose, scene)

    def _product(self, sprite: Sprite, shot: int, at: float, share: float, beat: float) -> Pose:
        """Return the pose of the product and of what it stands on, which go together."""
        scene, spec = self._scenes[shot], self.board.spec
        pose = Pose(scale=beat).and_then(live(spec["motion"], share, scene.way))
        if sprite.role == "stand":
            pose = Pose(scale=1 + 0.5 * (beat - 1))
        if shot == 0:  # seen from the first frame on, which stands for the film where it does not play
            motion = "zoom" if spec["motion"] == "reveal" else spec["motion"]
            coming = enter(motion, spec["easing"], at + 0.06, from_right=scene.from_right, far=24.0)
            return pose.and_then(replace(coming, alpha=1.0))
        done = ease("out_cubic", at / FLY_S)
        if not self._flies:
            return pose.and_then(Pose(scale=1 + 0.12 * (1 - done)))
        before = self._scenes[shot - 1]
        x, y, size = between(before.product, scene.product, done)
        turn = 0.0 if sprite.role == "stand" else (before.tilt - scene.tilt) * (1 - done)
        stood = any(one.role == "stand" for one in before.sprites)
        fade = done if sprite.role == "stand" and not stood else 1.0
        dx, dy = (x - scene.product[0]) / self._unit, (y - scene.product[1]) / self._unit
        return pose.and_then(Pose(dx, dy, size / scene.product[2], turn, fade))

    def _put(self, canvas: Any, sprite: Sprite, pose: Pose, scene: _Scene) -> None:
        if pose.alpha <= 0 or pose.shown <= 0:
            return
        how = skia.Paint(Alphaf=min(pose.alpha, 1.0))
        x, y = sprite.box.x, sprite.box.y
        if pose == REST and sprite.fine == 1:
            canvas.drawImage(sprite.image, round(x), round(y))
            return
        canvas.save()
        if pose.shown < 1:
            wide = sprite.box.w * pose.shown
            canvas.clipRect(
                skia.Rect.MakeXYWH(sprite.box.right - wide if scene.from_right else x, 0, wide, self.height)
            )
        cx, cy = scene.product[:2] if sprite.role in {"product", "stand"} else sprite.box.centre
        canvas.translate(cx + pose.dx * self._unit, cy + pose.dy * self._unit)
        if pose.turn:
            canvas.rotate(pose.turn)
        canvas.scale(pose.scale / sprite.fine, pose.scale / sprite.fine)
        canvas.drawImage(sprite.image, (x - cx) * sprite.fine, (y - cy) * sprite.fine, _LINEAR, how)
        canvas.restore()

    def _behind(self, poster: Poster) -> Any:
        room = self._room
        surface = skia.Surface(self.width + 2 * room, self.height + 2 * room)
        canvas = surface.getCanvas()
        canvas.translate(room, room)
        canvas.scale(self._scale, self._scale)
        for layer in poster.layers:
            if layer.role in _BEHIND:
                layer.draw(canvas)
        pixels = surface.toarray(colorType=skia.kBGRA_8888_ColorType)
        return skia.Image.fromarray(pixels, colorType=skia.kBGRA_8888_ColorType, alphaType=skia.kOpaque_AlphaType)

    def _scene(self, place: int, poster: Poster) -> _Scene:
        spec = poster.spec
        sprites: list[Sprite] = []
        order = 0
        for layer in poster.layers:
            if layer.role in _BEHIND:
                continue
            spread = OVER / 2 if layer.role == "shape" else 0.0
            fine = SHARPER if layer.role == "product" else 1.0
            sprite = self._sprite(layer, spread, fine, order if layer.role in READ else 0)
            if sprite is not None:
                sprites.append(sprite)
            order += layer.role in READ and layer.role != "was"
        focal = next(layer.box for layer in poster.layers if layer.role == "product")
        box = product_box(focal, spec, self._picture) if self._picture.kind == "cutout" else focal
        scale = self._scale
        way = float(np.random.default_rng([self.board.spec.seed, 9, place]).random() * math.tau)
        return _Scene(
            tuple(sprites), (box.centre[0] * scale, box.centre[1] * scale, max(box.w, box.h) * scale), TILT.get(spec["crop"], 0.0),
            right_to_left(poster.message.headline), way, self._behind(poster),
        )  # fmt: skip

    def _sprite(self, layer: Any, spread: float, fine: float, order: int) -> Sprite | None:
        """Draw a layer on a clear page with room around it, and keep what is drawn of it; None where that is nothing."""
        room = round((spread if spread else 0.02) * max(self.width, self.height) * fine)
        surface = skia.Surface(math.ceil(self.width * fine) + 2 * room, math.ceil(self.height * fine) + 2 * room)
        canvas = surface.getCanvas()
        canvas.translate(room, room)
        canvas.scale(self._scale * fine, self._scale * fine)
        layer.draw(canvas)
        alpha = surface.toarray(colorType=skia.kRGBA_8888_ColorType)[..., 3]
        rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
        if not len(rows):
            return None
        # one clear pixel around, so that edges stay smooth when it moves
        top, bottom = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, alpha.shape[0])
        left, right = max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, alpha.shape[1])
        image = surface.makeImageSnapshot(skia.IRect.MakeLTRB(left, top, right, bottom))
        box = Box((left - room) / fine, (top - room) / fine, (right - left) / fine, (bottom - top) / fine)
        return Sprite(layer.role, image, box, fine, order)


def still(poster: Poster, width: int, height: int) -> Any:
    """Return a poster at the size of a film, for those who want nothing to move."""
    surface = skia.Surface(width, height)
    canvas = surface.getCanvas()
    canvas.scale(width / poster.width, height / poster.height)
    poster.draw(canvas)
    return surface.makeImageSnapshot()


def captions(board: Storyboard) -> str:
    """Return WebVTT: the words of every shot, in the time that they are shown."""
    lines = ["WEBVTT", ""]
    for place, shot in enumerate(board.shots):
        begin, end = board.time.first_frame(place) / FPS, board.time.first_frame(place + 1) / FPS
        lines += [f"{_clock(begin)} --> {_clock(end)}", *_cue(shot.texts), ""]
    return "\n".join(lines)


def _cue(texts: Sequence[str]) -> list[str]:
    return [text.replace("&", "&amp;").replace("<", "&lt;").replace("-->", "→") for text in texts]


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}"
