"""Files from the chat, taken for hostile until they were looked into.

What a file is, its first bytes decide, never its name or announced type. A picture is decoded and drawn anew, so that nothing but
its pixels is kept: no place, no camera, no second file behind the first (OWASP File Upload Cheat Sheet). A PDF is kept as it is
and is only ever handed out as a download.
"""

from __future__ import annotations

import io
import re
import unicodedata
from dataclasses import dataclass

from PIL import Image, ImageOps

from api.errors import ProblemError

LARGEST_FILE = 5_000_000  # bytes
MOST_PIXELS = 25_000_000  # of a picture before it is made smaller; decoded it takes three bytes for each
LONGEST_SIDE = 2048  # of the picture that is kept
_QUALITY = 88
_SMOOTH = frozenset(("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"))  # modes that can be made smaller as they are
_LONGEST_NAME = 80
_PICTURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"RIFF": "WEBP"}
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, OverflowError)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be kept: `name` is safe to show, `media_type` what it truly is."""

    name: str
    media_type: str
    content: bytes


def checked(name: str, content: bytes, *, pdf: bool = True) -> CheckedFile:
    """Return the file as it may be kept; ProblemError 413, 415 or 422 says why it may not."""
    if not content:
        raise ProblemError(422, "empty-file", "This file is empty.")
    if len(content) > LARGEST_FILE:
        raise ProblemError(413, "too-large", f"This file is too large. Up to {LARGEST_FILE / 1e6:.0f} MB are possible.")
    for first, kind in _PICTURES.items():
        if content.startswith(first):
            return CheckedFile(safe_name(name, "picture", "jpg"), "image/jpeg", _drawn_anew(content, kind))
    if pdf and re.match(rb"%PDF-[12]\.\d", content) and b"%%EOF" in content[-1024:]:
        return CheckedFile(safe_name(name, "document", "pdf"), "application/pdf", content)
    possible = "Pictures (JPEG, PNG, WebP) and PDF files" if pdf else "Pictures (JPEG, PNG, WebP)"
    raise ProblemError(415, "file-type", f"{possible} are possible.")


def safe_name(name: str, otherwise: str, extension: str) -> str:
    """Return a name without folders, control characters or turned writing, that ends as the file's content says."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(
        one for one in unicodedata.normalize("NFC", last) if unicodedata.category(one)[0] not in "CZ" or one == " "
    )
    stem = re.sub(r'[<>:"|?*]', "", re.sub(r"\.\w{1,5}$", "", plain)).strip(". ")
    return f"{stem[:_LONGEST_NAME].strip('. ') or otherwise}.{extension}"


def _drawn_anew(content: bytes, kind: str) -> bytes:
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            ImageOps.exif_transpose(picture, in_place=True)
            small = picture if picture.mode in _SMOOTH else picture.convert("RGBA")
            small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            drawn = Image.new("RGB", small.size, "white")
            clear = small.convert("RGBA")
            drawn.paste(clear, mask=clear)
            kept = io.BytesIO()
            drawn.save(kept, "JPEG", quality=_QUALITY)
            return kept.getvalue()
    except Image.DecompressionBombError as error:
        most = MOST_PIXELS // 1_000_000
        raise ProblemError(
            413, "too-large", f"This picture is too large. Up to {most} million pixels are possible."
        ) from error
    except _BROKEN as error:
        raise ProblemError(415, "not-a-picture", "This picture cannot be read; it may be damaged.") from error
