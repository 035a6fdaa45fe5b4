"""An image model behind an OpenAI-compatible endpoint (`POST …/images/generations`), whose address only the operator sets."""

from __future__ import annotations

import base64
import binascii

import httpx

from personalization.creative.errors import CreativeError

LARGEST = 20_000_000


class HttpBackgrounds:
    """A `BackgroundSource`. It takes pixels from the answer itself; an address in an answer is not followed."""

    def __init__(self, url: str, model: str, *, key: str = "", timeout_s: float = 120.0) -> None:
        self.name = model
        self._url, self._timeout = url.rstrip("/"), timeout_s
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def paint(self, wanted: str, width: int, height: int) -> bytes:
        """Return the picture that the model painted; CreativeError when none comes."""
        body = {
            "model": self.name,
            "prompt": wanted,
            "n": 1,
            "size": f"{width}x{height}",
            "response_format": "b64_json",
        }
        try:
            with httpx.Client(timeout=self._timeout, follow_redirects=False) as http:
                answer = http.post(f"{self._url}/images/generations", json=body, headers=self._headers)
                answer.raise_for_status()
                found = base64.b64decode(answer.json()["data"][0]["b64_json"], validate=True)
        except (httpx.HTTPError, KeyError, IndexError, TypeError, ValueError, binascii.Error) as error:
            raise CreativeError("no-background", f"The image model gave no picture: {type(error).__name__}.") from error
        if len(found) > LARGEST:
            raise CreativeError("no-background", f"The image model's picture has more than {LARGEST / 1e6:.0f} MB.")
        return found
