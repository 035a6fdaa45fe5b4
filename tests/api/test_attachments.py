"""Files in the chat: kept once, shown to the two sides of their conversation and to nobody else, and never believed."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from api.access import RateLimit
from api.errors import ProblemError
from api.limits import LARGEST_UPLOAD
from api.services.files import LONGEST_SIDE, checked, safe_name
from stores.attachments import MOST_FILES
from stores.scheduled import enforce
from tests.api.conftest import Api
from tests.api.test_chat import Engine, echo, talk, use
from tests.api.test_handoff import Person, ask, history

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SECRET = b"taken at home, 52.5N 13.4E"


def picture(kind: str = "JPEG", size: tuple[int, int] = (64, 48), **saved: Any) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "teal").save(content, kind, **saved)
    return content.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 6  # a description, and a quarter turn
    return picture(exif=exif, comment=SECRET)


def bomb(side: int) -> bytes:
    """Return a PNG of a few hundred bytes that claims to be, and unpacks to, side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9))
        + chunk(b"IEND", b"")
    )


class Chatting:
    """A shopper in a conversation."""

    def __init__(self, api: Api) -> None:
        use(api, Engine(echo))
        self._client = api.client
        self.id, self.headers = talk(api)

    def send(
        self, content: bytes, name: str = "jar.png", client: str | None = None, announced: str = "image/png"
    ) -> httpx.Response:
        url, data = f"/v1/conversations/{self.id}/attachments", {"client_message_id": client} if client else {}
        return self._client.post(url, files={"file": (name, content, announced)}, data=data, headers=self.headers)

    def get(self, url: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._client.get(url, headers=self.headers if headers is None else headers)

    def say(self, text: str) -> dict[str, Any]:
        answer = self._client.post(f"/v1/conversations/{self.id}/messages", json={"text": text}, headers=self.headers)
        return dict(answer.json())


@pytest.fixture
def chatting(api: Api) -> Chatting:
    return Chatting(api)


def test_a_picture_takes_its_place_among_the_messages_and_a_person_is_offered(api: Api, chatting: Chatting) -> None:
    chatting.say("before")
    sent = chatting.send(picture("PNG")).json()
    chatting.say("after")
    assert sent["messages"][0]["act"] == "file.taken"
    assert sent["messages"][0]["quick_replies"][0]["text"] == "talk to a human"
    told = api.client.get(f"/v1/conversations/{chatting.id}", headers=chatting.headers).json()["messages"]
    assert [one["text"] for one in told if one["role"] == "user"] == ["before", "", "after"]
    [mine] = [one for one in told if one.get("attachments")]
    assert mine["message_id"] == sent["message_id"]
    assert mine["attachments"] == sent["attachments"]
    assert (mine["attachments"][0]["name"], mine["attachments"][0]["media_type"]) == ("jar.jpg", "image/jpeg")


def test_sent_again_it_is_there_once_and_gets_the_same_answer(api: Api, chatting: Chatting) -> None:
    first, again = (chatting.send(picture(), client="same-file-1").json() for _ in range(2))
    assert first["message_id"] == again["message_id"]
    assert first["attachments"] == again["attachments"]
    assert [one["message_id"] for one in first["messages"]] == [one["message_id"] for one in again["messages"]]
    assert len(history(api, chatting.id, chatting.headers)) == 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_kept_as_fresh_pixels_of_a_sane_size(kind: str) -> None:
    kept = Image.open(io.BytesIO(checked("a", picture(kind, (3000, 1500))).content))
    assert (kept.format, kept.size) == ("JPEG", (LONGEST_SIDE, LONGEST_SIDE // 2))
    red, green, blue = kept.convert("RGB").getpixel((10, 10))  # type: ignore[misc]
    assert (red < 10, abs(green - 128) < 10, abs(blue - 128) < 10) == (True, True, True)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_every_kind_of_pixel_are_taken(mode: str) -> None:
    content = io.BytesIO()
    Image.new(mode, (20, 10)).save(content, "PNG")
    assert Image.open(io.BytesIO(checked("a.png", content.getvalue()).content)).size == (20, 10)


def test_where_and_with_what_a_picture_was_taken_is_not_kept() -> None:
    original = with_exif()
    assert SECRET in original
    kept = checked("a.jpg", original).content
    assert SECRET not in kept
    assert Image.open(io.BytesIO(kept)).size == (48, 64)  # upright, without being told to turn
    assert not Image.open(io.BytesIO(kept)).getexif()


def test_a_file_is_only_ever_a_download(chatting: Chatting) -> None:
    [file] = chatting.send(PDF, "../../receipt.pdf").json()["attachments"]
    assert (file["name"], file["media_type"]) == ("receipt.pdf", "application/pdf")
    answer = chatting.get(file["url"])
    assert answer.content == PDF
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''receipt.pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "no-store" in answer.headers["cache-control"]


HOSTILE = {
    "nothing": (b"", 422, "empty-file"),
    "program": (b"MZ" + bytes(100), 415, "file-type"),
    "page": (b"<html><script>alert(1)</script>", 415, "file-type"),
    "drawing with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 415, "file-type"),
    "animation": (picture("GIF"), 415, "file-type"),
    "PDF behind a page": (b"<html>" + PDF, 415, "file-type"),
    "half a PDF": (PDF[:20], 415, "file-type"),
    "first bytes alone": (b"\xff\xd8\xff\xe0" + b"<script>" * 20, 415, "not-a-picture"),
    "half a picture": (picture("PNG", (400, 400))[:200], 415, "not-a-picture"),
    "sound that begins as WebP does": (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40), 415, "not-a-picture"),
    "bomb": (bomb(30_000), 413, "too-large"),
    "bomb that fits": (bomb(4_900), 415, "not-a-picture"),
    "large file": (b"%PDF-1.4" + bytes(5_000_001), 413, "too-large"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_picture_and_no_pdf_is_refused(what: str) -> None:
    content, status, code = HOSTILE[what]
    with pytest.raises(ProblemError) as refused:
        checked("innocent.jpg", content)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_what_is_refused_leaves_nothing_and_says_why(api: Api, chatting: Chatting) -> None:
    for content, status in ((b"", 422), (b"MZ" + bytes(100), 415), (bytes(LARGEST_UPLOAD), 413)):
        answer = chatting.send(content, "innocent.jpg", announced="image/jpeg")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert len(history(api, chatting.id, chatting.headers)) == 1


def test_of_a_file_that_is_two_things_only_the_picture_is_kept() -> None:
    payload = b"<script>fetch('//evil.example')</script>PK\x03\x04"
    kept = checked("both.html", picture("JPEG", comment=payload) + payload)
    assert payload not in kept.content
    assert (kept.name, kept.media_type) == ("both.jpg", "image/jpeg")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd.jpg"), ("C:\\Temp\\a.png", "a.jpg"), ("", "picture.jpg"), (".htaccess", "htaccess.jpg"),
        ("invoice\u202egpj.exe", "invoicegpj.jpg"), ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie x=1.jpg"), ("Ä" * 300, "Ä" * 80 + ".jpg"),
        ("<img src=x>.png", "img src=x.jpg"),
    ],
)  # fmt: skip
def test_names_lead_nowhere_and_say_what_the_file_is(name: str, safe: str) -> None:
    assert safe_name(name, "picture", "jpg") == safe


def test_only_the_conversations_own_shopper_and_agents_it_was_handed_to_can_read(api: Api, chatting: Chatting) -> None:
    [file] = chatting.send(picture()).json()["attachments"]
    stranger, agent = api.headers(api.token(visitor="another")["token"]), api.headers(api.make_key("agents"))
    assert chatting.get(file["url"]).status_code == 200
    assert chatting.get(file["url"], stranger).status_code == 404
    assert chatting.get(file["url"], {}).status_code == 401
    assert chatting.get(file["url"], api.headers(api.make_key("recommend"))).status_code == 403
    assert chatting.get(file["url"], agent).status_code == 404  # nobody asked for a person
    ask(api, chatting.id, chatting.headers)
    assert chatting.get(file["url"], agent).status_code == 200
    elsewhere, _ = talk(api)
    assert chatting.get(file["url"].replace(chatting.id, elsewhere)).status_code == 404


def test_an_agent_sees_the_file_and_the_assistant_is_silent(api: Api, chatting: Chatting) -> None:
    ana = Person(api, "Ana")
    chatting.send(picture(), "mould.jpg")
    ask(api, chatting.id, chatting.headers)
    assert chatting.send(PDF, "receipt.pdf").json()["messages"][0]["act"] == "file.taken.waiting"
    [waiting] = ana.inbox()["waiting"]
    assert "Wants somebody to look at a file: “[mould.jpg]”" in waiting["summary"]
    ana.do(waiting["handoff_id"], "claim")
    silent = chatting.send(picture(), "label.jpg").json()
    assert (silent["messages"], silent["engine"]) == ([], "human")
    names = [file["name"] for one in ana.read(waiting["handoff_id"])["messages"] for file in one.get("attachments", [])]
    assert names == ["mould.jpg", "receipt.pdf", "label.jpg"]


def test_a_forgotten_chat_has_no_files_any_more(api: Api, chatting: Chatting) -> None:
    [file] = chatting.send(picture()).json()["attachments"]
    api.client.delete(f"/v1/conversations/{chatting.id}", headers=chatting.headers)
    assert chatting.get(file["url"]).status_code == 404
    assert api.services.attachments.read(chatting.id, file["attachment_id"]) is None


def test_files_are_deleted_when_their_time_is_over_and_the_messages_stay(api: Api, chatting: Chatting) -> None:
    [file] = chatting.send(picture()).json()["attachments"]
    now, schedule = datetime.now(UTC), api.services.schedule
    enforce(api.services.db, schedule, now=now + timedelta(days=29))
    assert chatting.get(file["url"]).status_code == 200
    done = enforce(api.services.db, schedule, now=now + timedelta(days=31))
    assert [one["deleted"]["files"] for one in done if one["scope"] == "schedule"] == [1]
    assert chatting.get(file["url"]).status_code == 404
    assert len(history(api, chatting.id, chatting.headers)) == 3


def test_a_conversation_holds_so_many_files_and_no_more(api: Api, chatting: Chatting) -> None:
    small = picture(size=(1, 1))
    api.services.rate_limit._burst = 100  # type: ignore[attr-defined]
    statuses = [chatting.send(small).status_code for _ in range(MOST_FILES + 1)]
    assert statuses == [200] * MOST_FILES + [409]
    assert len(history(api, chatting.id, chatting.headers)) == 1 + 2 * MOST_FILES


@pytest.mark.parametrize(("taken", "pdf", "jpeg"), [("none", 403, 403), ("pictures", 415, 200)])
def test_the_shop_decides_what_may_be_sent(api: Api, chatting: Chatting, taken: str, pdf: int, jpeg: int) -> None:
    api.services.settings.chat_files = taken  # type: ignore[assignment]
    assert [chatting.send(content).status_code for content in (PDF, picture())] == [pdf, jpeg]


def test_who_sends_too_much_too_quickly_waits(api: Api, chatting: Chatting) -> None:
    api.services.rate_limit = RateLimit(40, 5, clock=lambda: 0.0)  # too quickly on a slow machine, too
    answers = [chatting.send(b"") for _ in range(60)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
