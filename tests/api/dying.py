"""The app as a process of its own that kills itself (kill -9) at a chosen point of the first request under a key."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import uvicorn

from api.app import create_app
from api.settings import Settings
from api.wiring import Services
from stores.database import Database
from stores.decisions import SqlDecisions
from stores.replies import SqlReplies
from tests.conftest import MASTER_KEY

Point = Literal["begun", "between", "done", "kept"]
"""Taken up, and nothing done; the first of several transactions committed; all committed, the answer not kept; or kept, and not sent."""


def serve(listening: socket.socket, url: str, state: Path, point: Point) -> None:
    """Answer until that point."""
    _arm(point)
    settings = Settings(
        state_dir=state, rasa_url="http://127.0.0.1:9", worker="external", demo=True, coupons_explored=0
    )
    app = create_app(settings, Services(settings, Database(url, MASTER_KEY)))
    config = uvicorn.Config(app, log_level="error", lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])


def _arm(point: Point) -> None:
    owner, name, first = {
        "begun": (SqlReplies, "begin", True),
        "between": (SqlDecisions, "append", False),
        "done": (SqlReplies, "keep", False),
        "kept": (SqlReplies, "keep", True),
    }[point]
    real: Callable[..., Any] = getattr(owner, name)

    def die(*given: Any, **named: Any) -> None:
        if first:
            real(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, die)
