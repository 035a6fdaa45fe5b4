"""The staff whom cameras leave out: their templates, sealed like members', and their consent. Nothing else is ever kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from stores.camera_tables import staff, staff_templates
from stores.database import Database, new_id
from stores.erasure import receipt
from stores.errors import ConflictError, NotFoundError
from stores.kiosks import bump_gallery

MOST_TEMPLATES = 5
"""Of one person; a further one takes the place of the oldest."""
_PURPOSE = "staff_templates"


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody of the staff agreed to: the version of the text, when, and who recorded it."""

    text_version: str
    at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody whom cameras leave out. `templates` counts them."""

    staff_id: str
    name: str
    consent: Consent
    templates: int


class SqlStaff:
    """Add, list and remove them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, name: str, vector: NDArray[np.float32], *, model: str, consent: Consent) -> StaffMember:
        """Store a template of somebody, new or known by this name, with the consent under which it was made."""
        told = {
            "consent_text_version": consent.text_version,
            "consented_at": consent.at,
            "recorded_by": consent.recorded_by,
        }
        template_id = new_id()
        sealed = self._db.seal(_PURPOSE, vector.astype("<f4").tobytes(), template_id)
        try:
            with self._db.write() as connection:
                staff_id = connection.scalar(select(staff.c.staff_id).where(staff.c.name == name).with_for_update())
                if staff_id is None:
                    staff_id = new_id()
                    connection.execute(insert(staff).values(staff_id=staff_id, name=name, **told))
                else:
                    connection.execute(update(staff).where(staff.c.staff_id == staff_id).values(**told))
                mine = select(staff_templates.c.template_id).where(staff_templates.c.staff_id == staff_id)
                newest_first = mine.order_by(staff_templates.c.template_id.desc())
                there = connection.scalars(newest_first).all()
                old = there[MOST_TEMPLATES - 1 :]
                connection.execute(delete(staff_templates).where(staff_templates.c.template_id.in_(old)))
                row = {
                    "template_id": template_id,
                    "staff_id": staff_id,
                    "model": model,
                    "sealed": sealed,
                    "created_at": consent.at,
                }
                connection.execute(insert(staff_templates).values(row))
                bump_gallery(connection)
        except IntegrityError as error:
            raise ConflictError(f"{name} is being added by somebody else; look at the list, and try again") from error
        return StaffMember(staff_id, name, consent, min(len(there) + 1, MOST_TEMPLATES))

    def all(self) -> Sequence[StaffMember]:
        """Return everybody, by name."""
        counts = (
            select(staff_templates.c.staff_id, func.count().label("templates"))
            .group_by(staff_templates.c.staff_id)
            .subquery()
        )
        query = select(staff, func.coalesce(counts.c.templates, 0).label("templates")).outerjoin(
            counts, counts.c.staff_id == staff.c.staff_id
        )
        with self._db.read() as connection:
            return [
                StaffMember(
                    row.staff_id,
                    row.name,
                    Consent(row.consent_text_version, row.consented_at, row.recorded_by),
                    row.templates,
                )
                for row in connection.execute(query.order_by(staff.c.name))
            ]

    def remove(self, id_or_name: str, *, at: datetime) -> dict[str, Any]:
        """Delete somebody with everything of theirs; return a receipt without personal data. NotFoundError when there is nobody."""
        with self._db.write() as connection:
            who = (staff.c.staff_id == id_or_name) | (staff.c.name == id_or_name)
            staff_id = connection.scalar(select(staff.c.staff_id).where(who).with_for_update())
            if staff_id is None:
                raise NotFoundError(
                    f"nobody of the staff is called {id_or_name}; `aisle vision staff list` shows everybody"
                )
            bump_gallery(connection)  # after the person's row, as whoever adds a template does
            counts = {
                table.name: connection.execute(delete(table).where(table.c.staff_id == staff_id)).rowcount
                for table in (staff_templates, staff)
            }
            made = receipt(connection, "staff", counts, at)
        return {**made, "files_scrubbed": self._db.scrub([staff.name], rewrite=[staff_templates.name])}

    def templates(self, model: str) -> list[NDArray[np.float32]]:
        """Return everybody's templates, nobody says whose."""
        query = select(staff_templates).where(staff_templates.c.model == model).order_by(staff_templates.c.template_id)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [np.frombuffer(self._db.open(_PURPOSE, bytes(row.sealed), row.template_id), dtype="<f4") for row in rows]
