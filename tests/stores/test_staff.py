"""Staff whom cameras leave out: sealed at rest, with their consent, and gone without a trace when they are removed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from stores.camera_tables import staff_templates
from stores.database import Database
from stores.errors import NotFoundError
from stores.staff import MOST_TEMPLATES, Consent, SqlStaff
from stores.tables import erasures
from stores.templates import SqlTemplates
from tests.small_shop import NOW
from tests.stores.test_templates import files_hold
from tests.stores.traces import face

CONSENT = Consent("staff-2", NOW, "key ak_1 crm")


def test_somebody_is_added_with_their_consent_and_found_in_the_list(database: Database) -> None:
    staff = SqlStaff(database)
    ben = staff.add("Ben", face(1), model="m", consent=CONSENT)
    ana = staff.add("Ana", face(2), model="m", consent=CONSENT)
    assert staff.all() == [ana, ben]
    assert (ana.name, ana.consent, ana.templates) == ("Ana", CONSENT, 1)
    np.testing.assert_allclose(staff.templates("m"), [face(1), face(2)], rtol=1e-6)
    assert staff.templates("another model") == []


def test_a_name_that_is_there_gets_a_further_template_and_the_newer_consent_up_to_a_number(database: Database) -> None:
    staff = SqlStaff(database)
    for number in range(MOST_TEMPLATES + 2):
        consent = Consent(f"staff-{number}", NOW + timedelta(days=number), "Ana")
        made = staff.add("Ben", face(number), model="m", consent=consent)
    assert (made.templates, made.consent.text_version) == (MOST_TEMPLATES, f"staff-{MOST_TEMPLATES + 1}")
    np.testing.assert_allclose(staff.templates("m"), [face(n) for n in range(2, MOST_TEMPLATES + 2)], rtol=1e-6)


def test_who_is_removed_is_gone_from_gallery_list_and_files(sqlite_database: Database) -> None:
    staff, templates = SqlStaff(sqlite_database), SqlTemplates(sqlite_database)
    staff.add("Ben Removed", face(1), model="m", consent=CONSENT)
    staff.add("Ana", face(2), model="m", consent=CONSENT)
    with sqlite_database.read() as connection:
        sealed = bytes(connection.scalar(select(staff_templates.c.sealed)) or b"")
    plain, version = face(1).astype("<f4").tobytes(), templates.version()
    assert files_hold(sqlite_database, [sealed, plain]) == [sealed]
    done = staff.remove("Ben Removed", at=NOW)
    assert (done["scope"], done["deleted"], done["files_scrubbed"]) == (
        "staff",
        {"staff_templates": 1, "staff": 1},
        True,
    )
    assert [one.name for one in staff.all()] == ["Ana"]
    assert templates.version() > version
    assert files_hold(sqlite_database, [sealed, sealed[40:80], b"Ben Removed"]) == []
    with pytest.raises(NotFoundError, match="aisle vision staff list"):
        staff.remove("Ben Removed", at=NOW)


def test_a_removal_leaves_a_receipt_with_numbers_only(database: Database) -> None:
    staff = SqlStaff(database)
    made = staff.add("Ben", face(1), model="m", consent=CONSENT)
    staff.remove(made.staff_id, at=NOW)
    with database.read() as connection:
        [row] = connection.execute(select(erasures)).all()
    assert (row.scope, row.counts) == ("staff", {"staff_templates": 1, "staff": 1})
