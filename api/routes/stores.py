"""Stores: what their cameras may do, which is nothing until an operator switches it on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response

from api.answers import answers
from api.answers_kiosks import CamerasOut, StoresCameras
from api.auth import api_key
from api.cursors import Cursor, Limit, page_of
from api.routes.deps import CamerasDep
from api.schemas_kiosks import CamerasIn
from api.services.cameras import Cameras, cameras_tag, who
from api.tags import IfMatch
from stores.keys import Key

router = APIRouter(prefix="/stores", tags=["Cameras"])
Operator = Annotated[Key, Depends(api_key("vision"))]
StoreId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$", examples=["318"])]
WHAT = "the store's cameras"


@router.get("/cameras", summary="What cameras may do, store by store", **answers(StoresCameras))
def list_cameras(cameras: CamerasDep, operator: Operator, cursor: Cursor = None, limit: Limit = 200) -> dict[str, Any]:
    """Return stores that have a kiosk or a record."""
    page, following = page_of(cameras.stores(), lambda one: (one,), 1, cursor=cursor, limit=limit)
    return {"stores": cameras.statuses(page), "next_cursor": following}


@router.get("/{store_id}/cameras", summary="What a store's cameras may do", **answers(CamerasOut))
def read_cameras(store_id: StoreId, cameras: CamerasDep, operator: Operator, response: Response) -> dict[str, Any]:
    """Return what is switched on, with the notice at the entrance, and the whole record of who switched what when."""
    return _told(cameras, store_id, response)


@router.put("/{store_id}/cameras", summary="Switch a store's cameras on", **answers(CamerasOut, but=[409, 412]))
def enable(
    store_id: StoreId, body: CamerasIn, cameras: CamerasDep, operator: Operator, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Allow the uses that the notice at the entrance tells of, from the next request on. Sent again, it changes nothing."""
    cameras.enable(store_id, body.terms(), by=who(operator), check=if_match.against(cameras_tag, WHAT))
    return _told(cameras, store_id, response)


@router.delete("/{store_id}/cameras", summary="Switch a store's cameras off", **answers(CamerasOut, but=[409, 412]))
def disable(
    store_id: StoreId, cameras: CamerasDep, operator: Operator, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Stop recognition and expressions with the next request; displays are anonymous before this answers. The record stays."""
    cameras.disable(store_id, by=who(operator), check=if_match.against(cameras_tag, WHAT))
    return _told(cameras, store_id, response)


def _told(cameras: Cameras, store_id: str, response: Response) -> dict[str, Any]:
    told = cameras.status(store_id)
    response.headers["ETag"] = told["etag"]
    return told
