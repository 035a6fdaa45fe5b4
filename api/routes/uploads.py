"""Reading the files that creatives and films are made of: a few megabytes at most, and only under a licence."""

from __future__ import annotations

from fastapi import UploadFile

from api.errors import ProblemError

LARGEST_FILE = 8_000_000


async def read_upload(file: UploadFile | None) -> bytes | None:
    """Return what was sent, None where nothing was; a ProblemError (413) for more than LARGEST_FILE bytes."""
    if file is None:
        return None
    content = await file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ProblemError(413, "too-large", f"A file has at most {LARGEST_FILE:,} bytes.")
    return content


def licensed(licence: str, what: str, *files: UploadFile | None) -> str:
    """Return the licence; a ProblemError (422) where `what` is sent without one."""
    if any(file is not None for file in files) and not licence.strip():
        raise ProblemError(422, "licence-missing", f"Say under which licence {what} may be used: `licence`.")
    return licence.strip()
