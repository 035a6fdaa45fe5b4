"""Face templates: sealed at rest, shown only with consent, gone when withdrawn; and the codes that lead to them."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, text

from personalization.types import MemberId, Purpose, Subject
from stores.consents import ConsentEntry, SqlConsents, granted_to
from stores.crypto import Cipher, decode_key, load_or_create_master_key, new_key
from stores.database import Database, new_id
from stores.erasure import erase_templates
from stores.errors import KeyMaterialError, NotFoundError
from stores.kiosks import SqlLinkCodes
from stores.members import SqlMembers
from stores.tables import link_codes, templates
from stores.templates import SqlTemplates
from tests.small_shop import NOW
from tests.stores.traces import face


def files_hold(db: Database, needles: list[bytes]) -> list[bytes]:
    folder = Path(str(db.url.database)).parent
    content = b"".join(path.read_bytes() for path in sorted(folder.glob("aisle.db*")))
    return [needle for needle in needles if needle in content]


def sealed(db: Database, template_id: str) -> bytes:
    with db.read() as connection:
        return bytes(connection.scalar(select(templates.c.sealed).where(templates.c.template_id == template_id)) or b"")


def test_a_template_is_encrypted_and_its_bytes_are_gone_from_the_files_after_withdrawal(
    sqlite_database: Database,
) -> None:
    store, vector, member = SqlTemplates(sqlite_database), face(2), MemberId(new_id())
    cipher = sealed(sqlite_database, store.add(member, vector, model="m", at=NOW))
    plain = vector.astype("<f4").tobytes()
    assert files_hold(sqlite_database, [cipher]) == [cipher]
    assert files_hold(sqlite_database, [plain, plain[:64]]) == []
    erase_templates(sqlite_database, member, at=NOW)
    assert files_hold(sqlite_database, [cipher, cipher[40:80], plain, plain[:64]]) == []


def test_no_piece_of_any_withdrawn_template_stays_however_the_pages_move(sqlite_database: Database) -> None:
    store, order = SqlTemplates(sqlite_database), random.Random(5)
    alive: dict[MemberId, str] = {}
    gone: list[bytes] = []
    for number in range(160):
        if alive and order.random() < 0.45:
            member = order.choice(sorted(alive))
            template_id = alive.pop(member)
            cipher = sealed(sqlite_database, template_id)
            gone += [cipher[start : start + 16] for start in range(0, len(cipher), 16)] + [template_id.encode()]
            erase_templates(sqlite_database, member, at=NOW)
        else:
            member = MemberId(new_id())
            alive[member] = store.add(member, face(number), model="m", at=NOW)
    assert len(gone) > 1000
    assert files_hold(sqlite_database, gone) == []
    assert len(files_hold(sqlite_database, [sealed(sqlite_database, t) for t in alive.values()])) == len(alive)


def test_postgresql_writes_the_table_anew_without_a_withdrawn_template(postgres_database: Database) -> None:
    db, member = postgres_database, MemberId(new_id())
    cipher = sealed(db, SqlTemplates(db).add(member, face(2), model="m", at=NOW))
    assert cipher in table_file(db)
    erase_templates(db, member, at=NOW)
    assert cipher[:16] not in table_file(db)


def table_file(db: Database) -> bytes:
    with db.write() as connection:
        connection.execute(text("CHECKPOINT"))
    with db.read() as connection:
        return bytes(connection.scalar(text("SELECT pg_read_binary_file(pg_relation_filepath('templates'))")) or b"")


def test_only_members_whose_consent_stands_are_in_the_gallery(database: Database) -> None:
    members, store, ledger = SqlMembers(database), SqlTemplates(database), SqlConsents(database)
    one, two = (
        members.create(external_id=None, display_name=name, email=None, at=NOW).member_id for name in ("One", "Two")
    )
    for number, member in enumerate((one, two)):
        store.add(member, face(number), model="m", at=NOW)
        ledger.record([ConsentEntry(member, Purpose.FACE_RECOGNITION, True, NOW, "kiosk", "t")])
    assert [member for member, _ in store.gallery("m")] == [one, two]
    np.testing.assert_allclose(store.gallery("m")[0][1], face(0), rtol=1e-6)
    version = store.version()
    ledger.record([ConsentEntry(one, Purpose.FACE_RECOGNITION, False, NOW, "widget", "t")])
    assert [member for member, _ in store.gallery("m")] == [two]
    erase_templates(database, one, at=NOW)
    assert store.version() > version
    assert store.gallery("other model") == []


def test_what_was_said_last_counts_though_the_clock_of_the_host_that_heard_it_is_behind(database: Database) -> None:
    store, ledger, now = SqlTemplates(database), SqlConsents(database), datetime.now(UTC)
    member = SqlMembers(database).create(external_id=None, display_name="One", email=None, at=NOW).member_id
    store.add(member, face(1), model="m", at=NOW)
    for behind, agrees in enumerate((True, False, True, False)):
        at = now + timedelta(seconds=2) - timedelta(seconds=behind)
        ledger.record([ConsentEntry(member, Purpose.FACE_RECOGNITION, agrees, at, f"host {behind}", "t")])
        found = frozenset({Purpose.FACE_RECOGNITION} if agrees else ())
        assert ledger.granted(Subject(member), at=now) == found, "also where the other clock is ahead of this one"
        with database.read() as connection:
            assert granted_to(connection, [member])[member] == found
        assert [one for one, _ in store.gallery("m")] == [member] * agrees
    told = ledger.history(member)
    assert [entry.granted for entry in told] == [True, False, True, False]
    assert told[-1].at - told[0].at == timedelta(microseconds=3)


def test_a_sealed_value_opens_only_in_its_own_row_and_with_its_own_key() -> None:
    cipher = Cipher(new_key())
    made = cipher.seal(b"face", "row-1")
    assert cipher.open(made, "row-1") == b"face"
    with pytest.raises(KeyMaterialError):
        cipher.open(made, "row-2")
    with pytest.raises(KeyMaterialError):
        Cipher(new_key()).open(made, "row-1")
    with pytest.raises(KeyMaterialError):
        cipher.open(made[:-1] + bytes([made[-1] ^ 1]), "row-1")


def test_the_master_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    key = load_or_create_master_key(path)
    assert load_or_create_master_key(path) == key
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("wrong", ["no base64!", "c2hvcnQ="])
def test_a_malformed_master_key_is_told_with_what_to_do(wrong: str) -> None:
    with pytest.raises(KeyMaterialError, match="openssl rand -base64 32"):
        decode_key(wrong)


def test_a_link_code_works_once_and_not_after_ten_minutes(database: Database) -> None:
    codes, member = SqlLinkCodes(database), MemberId(new_id())
    code, _ = codes.issue(member, at=NOW)
    assert codes.use(code, at=NOW) == member
    with pytest.raises(NotFoundError):
        codes.use(code, at=NOW)
    code, expires_at = codes.issue(member, at=NOW)
    assert expires_at == NOW + timedelta(minutes=10)
    with pytest.raises(NotFoundError):
        codes.use(code, at=expires_at + timedelta(seconds=1))


def test_a_link_code_cannot_be_guessed_from_what_is_stored(database: Database) -> None:
    code, _ = SqlLinkCodes(database).issue(MemberId(new_id()), at=NOW)
    with database.read() as connection:
        stored = connection.scalar(select(link_codes.c.code_hash))
    assert stored != hashlib.sha256(code.encode()).hexdigest()
    assert stored == database.fingerprint("link_codes", code)


def test_a_new_link_code_ends_the_members_older_one(database: Database) -> None:
    codes, member = SqlLinkCodes(database), MemberId(new_id())
    older, _ = codes.issue(member, at=NOW)
    newer, _ = codes.issue(member, at=NOW)
    if older != newer:
        with pytest.raises(NotFoundError):
            codes.peek(older, at=NOW)
    assert codes.peek(newer, at=NOW) == member


def test_a_template_that_is_refused_makes_nobody_load_the_gallery_anew(database: Database) -> None:
    store = SqlTemplates(database)
    member = SqlMembers(database).create(external_id=None, display_name="Maya", email=None, at=NOW).member_id
    before = store.version()
    assert not store.adapt(member, face(1), model="m", at=NOW, store_id=None), "nothing was enrolled"
    assert store.version() == before
    store.add(member, face(1), model="m", at=NOW)
    assert store.adapt(member, face(2), model="m", at=NOW, store_id=None)
    after = store.version()
    assert not store.adapt(member, face(3), model="m", at=NOW, store_id=None), "one was taken today"
    assert store.version() == after
