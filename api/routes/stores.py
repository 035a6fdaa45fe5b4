"""Stores: what their cameras may do, which is nothing until an operator switches it on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from api.answers import CamerasOut, StoresCameras, answers
from api.auth import api_key
from api.routes.deps import CamerasDep
from api.schemas import CamerasIn
from api.services.cameras import who
from stores.keys import Key

router = APIRouter(prefix="/stores", tags=["Cameras"])
Operator = Annotated[Key, Depends(api_key("vision"))]
StoreId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$", examples=["318"])]


@router.get("/cameras", summary="What cameras may do, store by store", **answers(StoresCameras))
def list_cameras(cameras: CamerasDep, operator: Operator) -> dict[str, Any]:
    """Return every store that has a kiosk or a record."""
    return {"stores": cameras.list()}


@router.get("/{store_id}/cameras", summary="What a store's cameras may do", **answers(CamerasOut))
def read_cameras(store_id: StoreId, cameras: CamerasDep, operator: Operator) -> dict[str, Any]:
    """Return what is switched on, with the notice at the entrance, and the whole record of who switched what when."""
    return cameras.status(store_id)


@router.put("/{store_id}/cameras", summary="Switch a store's cameras on", **answers(CamerasOut, but=[409]))
def enable(store_id: StoreId, body: CamerasIn, cameras: CamerasDep, operator: Operator) -> dict[str, Any]:
    """Allow the uses that the notice at the entrance tells of, from the next request on. Sent again, it changes nothing."""
    cameras.enable(store_id, body.terms(), by=who(operator))
    return cameras.status(store_id)


@router.delete("/{store_id}/cameras", summary="Switch a store's cameras off", **answers(CamerasOut, but=[409]))
def disable(store_id: StoreId, cameras: CamerasDep, operator: Operator) -> dict[str, Any]:
    """Stop recognition and expressions with the next request; displays are anonymous before this answers. The record stays."""
    cameras.disable(store_id, by=who(operator))
    return cameras.status(store_id)
