"""What every route asks for. These look nothing up, so they are coroutines: a plain function would wait for a thread."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.errors import ProblemError
from api.services.adapting import Adapting
from api.services.cameras import Cameras
from api.services.chat import Chat
from api.services.desk import Desk
from api.services.eyes import Eyes
from api.services.kiosk import Kiosks
from api.services.privacy import Privacy
from api.services.simulating import Simulating
from api.wiring import Services
from stores.members import Member


async def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


async def _privacy(request: Request) -> Privacy:
    found: Privacy = request.app.state.privacy
    return found


async def _chat(request: Request) -> Chat:
    found: Chat = request.app.state.chat
    return found


async def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


async def _displays(request: Request) -> Kiosks:
    found: Kiosks = request.app.state.displays
    return found


async def _adapting(request: Request) -> Adapting:
    found: Adapting = request.app.state.adapting
    return found


async def _cameras(request: Request) -> Cameras:
    found: Cameras = request.app.state.cameras
    return found


async def _eyes(request: Request) -> Eyes:
    found: Eyes = request.app.state.eyes
    return found


async def _simulating(request: Request) -> Simulating:
    found: Simulating = request.app.state.simulating
    return found


ServicesDep = Annotated[Services, Depends(_services)]
PrivacyDep = Annotated[Privacy, Depends(_privacy)]
ChatDep = Annotated[Chat, Depends(_chat)]
DeskDep = Annotated[Desk, Depends(_desk)]
DisplaysDep = Annotated[Kiosks, Depends(_displays)]
AdaptingDep = Annotated[Adapting, Depends(_adapting)]
CamerasDep = Annotated[Cameras, Depends(_cameras)]
SimulatingDep = Annotated[Simulating, Depends(_simulating)]
EyesDep = Annotated[Eyes, Depends(_eyes)]


def get_member(services: Services, member_id: str) -> Member:
    """Return the member, or ProblemError 404."""
    found = services.members.get(member_id)
    if found is None:
        raise ProblemError(404, "not-found", f"There is no member {member_id}.")
    return found
