"""A client of any OpenAI-compatible chat endpoint (`POST …/chat/completions`, streamed as server-sent events)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx


class LanguageModelError(Exception):
    """No answer, not in time, or not in the protocol; the message says which."""


class LanguageModelClient:
    """Streams completions. `url` is the base, such as `http://127.0.0.1:8090/v1`; `timeout_s` is for the whole answer."""

    def __init__(self, http: httpx.AsyncClient, url: str, model: str, *, key: str = "", timeout_s: float = 4.0) -> None:
        self._http, self._url, self._model, self._timeout = http, url.rstrip("/"), model, timeout_s
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    async def stream(self, messages: Sequence[Mapping[str, str]], *, most_tokens: int = 120) -> AsyncIterator[str]:
        """Yield the answer piece by piece; LanguageModelError when it does not come, or takes longer than the time-out."""
        body = {
            "model": self._model,
            "messages": list(messages),
            "stream": True,
            "temperature": 0.0,
            "max_tokens": most_tokens,
        }
        try:
            async with asyncio.timeout(self._timeout):
                request = self._http.stream(
                    "POST", f"{self._url}/chat/completions", json=body, headers=self._headers, timeout=self._timeout
                )
                async with request as answer:
                    answer.raise_for_status()
                    async for line in answer.aiter_lines():
                        if line.startswith("data:"):
                            data = line.removeprefix("data:").strip()
                            if data == "[DONE]":
                                return
                            if piece := _piece(data):
                                yield piece
        except TimeoutError as error:
            raise LanguageModelError("too slow") from error
        except httpx.HTTPError as error:
            raise LanguageModelError(type(error).__name__) from error


def _piece(data: str) -> str:
    try:
        choices: list[dict[str, Any]] = json.loads(data)["choices"]
        return str((choices[0].get("delta") or {}).get("content") or "") if choices else ""
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LanguageModelError("not the protocol") from error
