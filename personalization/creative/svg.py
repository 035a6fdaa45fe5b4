"""Drawings from outside, before they are rendered: without links, of a shape that a picture has, and no larger than they look.

A few hundred bytes can ask for billions of elements: `use`, patterns, masks and the like repeat what they refer to, and that may repeat
something else. What a drawing comes to is counted before anything is drawn. How long that takes hangs on areas too, so it is drawn in a process
that the system ends after a few seconds.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

TALLEST = 12  # times as high as wide
MOST_ELEMENTS = 20_000
DEEPEST = 100
LAYER, PICTURE, EFFECT = 20, 100, 1_000
"""What an element counts that is drawn on a layer of its own, a picture, and a step of a filter, which goes over the whole page."""
LONGEST_CPU_S, LONGEST_S = 5, 60
_DRAW = """
import resource, sys, resvg_py
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2])))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_string=sys.stdin.buffer.read().decode(), width=int(sys.argv[1]), skip_system_fonts=True)))
"""
_INSIDE = re.compile(r"#|data:image/(?:png|jpeg|gif|webp)[;,]", re.IGNORECASE)
"""What an SVG may link to: its own parts, and pixels inside it."""
_PLAIN_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*>")
_NUMBER = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)")
_REFERENCE = re.compile(r"url\(\s*['\"]?\s*#([^'\")\s]+)")
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_SAID = re.compile(r"([\w-]+)\s*:\s*([^;]*)")
_WORD = re.compile(r"[\w-]+")
_LAYERED = frozenset({"opacity", "mask", "clip-path", "filter", "mix-blend-mode", "isolation"})
_INHERITED = frozenset({"fill", "stroke"})
_ONCE = frozenset({"linearGradient", "radialGradient"})  # a colour, however much is painted with it


def tidied(svg: str) -> str:
    """Return the drawing without links to anywhere but itself: the renderer fetches nothing, but it reads files by their path.

    Raises ValueError for what is no SVG, for one that declares entities, which could hide links or grow without end, and for one that comes to
    more than MOST_ELEMENTS elements once all that it repeats is written out.
    """
    svg = _PLAIN_DOCTYPE.sub("", svg, count=1)
    if "<!DOCTYPE" in svg or "<!ENTITY" in svg:
        raise ValueError("it declares entities; save it without")
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314  without entities there is nothing to expand
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    if (count := _Counted(root).count(root)) > MOST_ELEMENTS:
        raise ValueError(f"it comes to {count:.3g} elements with all that it repeats; up to {MOST_ELEMENTS} are drawn")
    for element in root.iter():
        for marker in [part for part in element if _local(part.tag) == "marker"]:
            element.remove(marker)  # it would be drawn at every point of a line
        for name, value in list(element.attrib.items()):
            if _local(name) == "href" and not _INSIDE.match(value.strip()):
                del element.attrib[name]
    return ElementTree.tostring(root, encoding="unicode")


def drawn(svg: str, width: int, *, cpu_s: int = LONGEST_CPU_S) -> bytes:
    """Return a drawing from outside as PNG, drawn within so many seconds of processor time. Raises ValueError."""
    command = [sys.executable, "-I", "-c", _DRAW, str(width), str(cpu_s)]
    try:
        done = subprocess.run(command, input=svg.encode(), capture_output=True, timeout=LONGEST_S, check=False)  # noqa: S603  fixed words
    except subprocess.TimeoutExpired:
        raise ValueError(f"it takes more than {LONGEST_S} s to draw") from None
    if done.returncode < 0:
        raise ValueError(f"it takes more than {cpu_s} s to draw")
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    return done.stdout


def bounded(svg: str) -> None:
    """Refuse a drawing that is far higher than wide: its height in pixels follows from its width. Raises ValueError."""
    root = ElementTree.fromstring(svg)  # noqa: S314  it has no entities
    sides = [_NUMBER.match(root.get(name, "")) for name in ("width", "height")]
    box = root.get("viewBox", "").replace(",", " ").split()
    given = [float(side[1]) for side in sides if side and "%" not in root.get("width", "") + root.get("height", "")]
    for width, height in ([given] if len(given) == 2 else []) + (
        [[float(one) for one in box[2:]]] if len(box) == 4 else []
    ):
        if not width > 0 or not height > 0 or not 1 / TALLEST <= height / width <= TALLEST:
            raise ValueError(f"a drawing is at most {TALLEST} times as high as it is wide, or the other way round")


class _Counted:
    """Counts what elements come to. A style's rule is taken to hold for all that have a name, an id or a class that its selector has."""

    def __init__(self, root: Element) -> None:
        self._named: dict[str, list[Element]] = defaultdict(list)
        self._known: dict[Element, int] = {}
        self._open: set[Element] = set()
        self._rules: dict[str, list[str]] = defaultdict(list)
        for element in root.iter():
            if name := element.get("id"):
                self._named[name].append(element)
            for selector, said in _RULE.findall(element.text or "") if _local(element.tag) == "style" else ():
                for word in {"*"} if re.search(r"[*:\[\\]", selector) else set(_WORD.findall(selector)):
                    self._rules[word].append(said)

    def count(self, element: Element, depth: int = 0) -> int:
        """Return how many elements this one is, once all that it repeats is written out. Raises ValueError."""
        if element in self._known:
            return self._known[element]
        if depth > DEEPEST:
            raise ValueError(f"its parts lie more than {DEEPEST} deep in one another")
        if element in self._open:
            raise ValueError("a part of it repeats itself")
        self._open.add(element)
        said = list(self._said(element))
        found = _alone(_local(element.tag)) + (LAYER if any(name in _LAYERED for name, _ in said) else 0)
        links = [value.strip()[1:] for name, value in said if name == "href" and value.strip()[:1] == "#"]
        found += sum(self.count(part, depth + 1) for part in (*element, *self._parts(links)))
        once = found
        for name, value in said:
            for part in self._parts(_REFERENCE.findall(value)):
                # what is painted with it may be every part of this one
                found += self.count(part, depth + 1) * (once if name in _INHERITED else 1)
        self._open.remove(element)
        self._known[element] = found
        return found

    def _said(self, element: Element) -> Iterator[tuple[str, str]]:
        """Yield what is said of an element, by property."""
        yield from ((_local(name), value) for name, value in element.attrib.items())
        yield from _SAID.findall(element.get("style", ""))
        for word in self._rules.keys() & {
            "*",
            _local(element.tag),
            element.get("id", ""),
            *element.get("class", "").split(),
        }:
            for rule in self._rules[word]:
                yield from _SAID.findall(rule)

    def _parts(self, names: Iterable[str]) -> Iterator[Element]:
        for name in names:
            yield from (part for part in self._named.get(name, ()) if _local(part.tag) not in _ONCE)


def _alone(tag: str) -> int:
    return EFFECT if tag.startswith("fe") else PICTURE if tag == "image" else 1


def _local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]
