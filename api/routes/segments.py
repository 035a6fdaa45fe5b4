"""Segments of members: the map, sizes over time, own ones with live counts, two side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response

from api.answers import answers
from api.answers_segments import Compared, Deleted, MapOut, SegmentCount, SegmentOut, SegmentsOut, SizesOut, Vocabulary
from api.auth import api_key
from api.cursors import Cursor, Limit
from api.errors import ProblemError
from api.routes.deps import ServicesDep
from api.routes.overview import PeriodDep
from api.schemas_segments import CountIn, RuleIn, SegmentIn
from api.services import segment_views
from api.tags import IfMatch
from personalization.profiling.own_segments import CHOSEN, MOST_CONDITIONS, WORDS, SegmentRule, SegmentRuleError, parse
from stores.keys import Key

router = APIRouter(prefix="/segments", tags=["Segments"])
MOST_POINTS = 2_500
WHAT = "the segment"
SegmentId = Annotated[
    str, Path(max_length=36, pattern=r"^[A-Za-z0-9-]+$", description="A trained segment's short id, or an own one's.")
]
Wanted = Annotated[str, Query(max_length=36, pattern=r"^[A-Za-z0-9-]+$", examples=["s1"])]
_read = [Depends(api_key("members:read"))]
Writer = Annotated[Key, Depends(api_key("members:write"))]


def _rule(given: RuleIn) -> SegmentRule:
    try:
        return parse(given.model_dump())
    except SegmentRuleError as error:
        raise ProblemError(422, "invalid", f"{error}.".capitalize()) from None


@router.get("", summary="List segments", dependencies=_read, **answers(SegmentsOut))
def list_segments(services: ServicesDep, cursor: Cursor = None, limit: Limit = 100) -> dict[str, Any]:
    """Return the segments that training found, on the first page, and `limit` own ones, each with its size now."""
    return segment_views.every(services, cursor=cursor, limit=limit)


@router.post("", summary="Make a segment", **answers(SegmentOut, 201, but=[409]))
def create(body: SegmentIn, services: ServicesDep, key: Writer) -> dict[str, Any]:
    """Keep a rule under a name. A campaign that it is the audience of reaches whoever is in it then, and agreed to marketing."""
    made = services.segments.create(
        body.name, body.description, _rule(body.rule), author=key.name, at=datetime.now(UTC)
    )
    return segment_views.own(services, made, known=services.segments.known())


@router.post("/count", summary="Count members by a rule", dependencies=_read, **answers(SegmentCount))
def count(body: CountIn, services: ServicesDep) -> dict[str, Any]:
    """Return for how many members a rule holds, while it is being built."""
    rule = _rule(body.rule)
    members, of = services.segments.count(rule)
    said = rule.sentence(segment_views.trained_names(services), services.settings.currency)
    return {"members": members, "of": of, "sentence": said}


@router.get("/vocabulary", summary="Read what rules may be about", dependencies=_read, **answers(Vocabulary))
def vocabulary(services: ServicesDep) -> dict[str, Any]:
    """Return features with their ranges, labels with their values, and trained segments."""
    words, ranges = services.segments.vocabulary()
    features = [
        {"name": name, "title": WORDS[name][0], "unit": WORDS[name][1], **dict(zip(("least", "mean", "most"), ranges[name], strict=True))}
        for name in CHOSEN
    ]  # fmt: skip
    return {
        "features": features, "labels": [{"name": name, "values": values} for name, values in words.items()],
        "segments": [{"name": segment_id, "values": [name]} for segment_id, name in segment_views.trained_names(services).items()],
        "most_conditions": MOST_CONDITIONS,
    }  # fmt: skip


@router.get("/map", summary="See members as points", dependencies=_read, **answers(MapOut))
def segment_map(services: ServicesDep) -> dict[str, Any]:
    """Return a fixed sample of members in the plane in which the trained segments lie furthest apart."""
    names, places = segment_views.trained_names(services), services.segments.places(MOST_POINTS)
    points = [{"x": round(x, 3), "y": round(y, 3), "segment_id": of} for x, y, of in places if of in names]
    return {"sampled": len(points), "members": services.segments.known(), "points": points}


@router.get("/sizes", summary="Read sizes over time", dependencies=_read, **answers(SizesOut))
def sizes(services: ServicesDep, days: PeriodDep) -> dict[str, Any]:
    """Return how many members each segment had, day by day."""
    each = days.each()
    place, found = {day: n for n, day in enumerate(each)}, dict[str, list[int | None]]()
    for row in services.figures.read({"segment_size"}, days.since, days.until):
        found.setdefault(row.part, [None] * len(each))[place[row.day]] = row.value
    return {"days": [day.isoformat() for day in each], "sizes": found}


@router.get("/compare", summary="Compare two segments", dependencies=_read, **answers(Compared))
def compare(services: ServicesDep, a: Wanted, b: Wanted) -> dict[str, Any]:
    """Return both segments' sizes, the means of each feature with intervals, and how many have which label."""
    return segment_views.compare(services, a, b)


@router.get("/{segment_id}", summary="Read a segment", dependencies=_read, **answers(SegmentOut))
def read(segment_id: SegmentId, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Return a segment with its rule and its size now."""
    found = segment_views.one(services, segment_id)
    if found["etag"]:  # what training found is not changed by hand
        response.headers["ETag"] = found["etag"]
    return found


@router.put("/{segment_id}", summary="Change a segment", dependencies=[Depends(api_key("members:write"))],
            **answers(SegmentOut, but=[409, 412]))  # fmt: skip
def change(
    segment_id: SegmentId, body: SegmentIn, services: ServicesDep, response: Response, if_match: IfMatch
) -> dict[str, Any]:
    """Give an own segment another name or rule. What training found is not changed by hand."""
    made = services.segments.change(
        segment_id, body.name, body.description, _rule(body.rule), at=datetime.now(UTC), check=if_match.against(segment_views.own_tag, WHAT)
    )  # fmt: skip
    response.headers["ETag"] = segment_views.own_tag(made)
    return segment_views.own(services, made, known=services.segments.known())


@router.delete(
    "/{segment_id}",
    summary="Delete a segment",
    dependencies=[Depends(api_key("members:write"))],
    **answers(Deleted, but=[412]),
)
def delete(segment_id: SegmentId, services: ServicesDep, if_match: IfMatch) -> dict[str, Any]:
    """Delete an own segment; its members stay who they are."""
    services.segments.delete(segment_id, check=if_match.against(segment_views.own_tag, WHAT))
    return {"deleted": True}
