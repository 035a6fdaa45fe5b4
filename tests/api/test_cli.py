"""The command line, as somebody types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from api.auth import SCOPES
from api.cli.main import serve
from api.settings import Settings
from bench.plot import points_svg
from stores.database import Database
from stores.keys import SqlKeys
from stores.kiosks import SqlKiosks
from tests.conftest import MASTER_KEY
from tests.small_shop import write

Aisle = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def aisle(tmp_path: Path) -> Aisle:
    """Run `aisle` with a state folder of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        quiet = {name: value for name, value in os.environ.items() if not name.startswith("AISLE_")}
        program = Path(sys.executable).with_name("aisle")
        return subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False,
            env={**quiet, "AISLE_STATE_DIR": str(tmp_path / "var"), "COLUMNS": "120", **environment},
        )  # fmt: skip

    return run


def test_help_teaches_every_command_and_loads_nothing_heavy(aisle: Aisle) -> None:
    told = aisle("--help")
    assert told.returncode == 0
    for command in ("serve", "worker", "up", "db", "import", "train", "synth", "models", "vision", "keys", "kiosk", "openapi",
                    "members", "bench"):  # fmt: skip
        assert command in told.stdout
    loaded = (
        "import api.cli, sys; print(sorted({'fastapi', 'sqlalchemy', 'numpy', 'cv2', 'polars'} & set(sys.modules)))"
    )
    seen = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_a_retailers_own_files_become_members_keys_and_kiosks(aisle: Aisle, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    write(shop)
    with (shop / "products.csv").open("a") as products:
        products.write("bad-1,Broken,Milk,Grocery,not-a-price\n")
    done = aisle("import", str(shop), "--errors", str(tmp_path / "bad.csv"))
    assert done.returncode == 0, done.stderr
    assert "members: 60 rows" in done.stdout
    assert "not-a-price" in (tmp_path / "bad.csv").read_text() + done.stderr
    found = aisle("members", "find", "Pets-1 ")
    assert "Pets-1 Test" in found.stdout
    secret, described, *_ = aisle("keys", "create", "crm", "--scope", "all").stdout.splitlines()
    page = aisle("kiosk", "create", "entrance", "--store", "s1").stdout.strip()
    assert aisle("keys", "revoke", described.split()[0]).stdout == "revoked\n"
    key_file = tmp_path / "var" / "keys" / "master.key"
    assert key_file.stat().st_mode & 0o077 == 0
    db = Database(f"sqlite:///{tmp_path / 'var' / 'aisle.db'}", MASTER_KEY)
    key, device = SqlKeys(db).find(secret), SqlKeys(db).find(page.split("key=")[1])
    assert key is not None
    assert (key.scopes, key.revoked) == (frozenset(SCOPES), True)
    kiosk = SqlKiosks(db).find("entrance")
    assert device is not None
    assert kiosk is not None
    assert device.kiosk_id == kiosk.kiosk_id
    zone = "0,0 0.3,0 0.3,1 0,1"
    assert aisle("kiosk", "zones", "entrance").stdout == "its camera looks everywhere\n"
    assert aisle("kiosk", "zones", "entrance", "--exclude", zone).stdout == f"{zone}\n"
    assert aisle("kiosk", "zones", "entrance", "--clear").stdout == "its camera looks everywhere\n"
    assert secret not in aisle("keys", "list").stdout
    db.dispose()


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["import", "nowhere"], {}, "nowhere is not a folder"),
        (["train"], {}, "import orders first"),
        (["members", "find", "Nobody"], {}, "no member's name starts with Nobody"),
        (["keys", "create", "x", "--scope", "all-of-it"], {}, "no such scope: all-of-it; there are: events:write"),
        (["keys", "revoke", "x"], {}, "`aisle keys list` shows them"),
        (["kiosk", "create", "No Good"], {}, "lower-case letters"),
        (["kiosk", "zones", "nowhere"], {}, "there is no kiosk nowhere"),
        (["bench", "os"], {}, "there is no benchmark os"),
        (["models", "verify"], {}, "run `aisle models pull`"),
        (["serve"], {"AISLE_ORDER_POLICY": "nowhere.yml"}, "the order policy nowhere.yml cannot be read"),
        (["db", "upgrade"], {"AISLE_PORT": "web"}, "AISLE_PORT is not valid"),
        (["db", "upgrade"], {"AISLE_MASTER_KEY": "short"}, "openssl rand -base64 32"),
        (["db", "upgrade"], {"AISLE_DATABASE_URL": "postgresql://x@127.0.0.1:9/x"}, "check AISLE_DATABASE_URL"),
        (["db", "upgrade"], {"AISLE_DATABASE_URL": "oracel://x"}, "AISLE_DATABASE_URL is not valid"),
    ],
)
def test_what_goes_wrong_is_one_line_that_says_what_to_do(
    aisle: Aisle, arguments: list[str], environment: dict[str, str], line: str
) -> None:
    told = aisle(*arguments, **environment)
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    last = told.stderr.strip().splitlines()[-1]
    assert last.startswith("aisle: ")
    assert line in last


def test_the_openapi_document_is_nothing_but_json_on_standard_output(aisle: Aisle) -> None:
    document = json.loads(aisle("openapi").stdout)
    assert document["info"]["title"] == "Aisle"
    refused = document["paths"]["/v1/coupons"]["post"]["responses"]["409"]
    assert "application/problem+json" in refused["content"]
    assert "internal" not in "".join(document["paths"])


def test_a_synthetic_shop_is_fitted_generated_and_imported_again(aisle: Aisle, tmp_path: Path) -> None:
    shop, made = tmp_path / "shop", tmp_path / "made"
    shop.mkdir()
    write(shop)
    missing = aisle("synth", "generate", str(made))
    assert missing.returncode == 1
    assert "`aisle synth fit` makes one" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert aisle("import", str(shop)).returncode == 0
    fitted = aisle("synth", "fit", "--seed", "3")
    assert fitted.returncode == 0, fitted.stderr
    assert "60 members" in fitted.stdout
    done = aisle("synth", "generate", str(made), "--members", "70", "--until", "2026-06-01")
    assert done.returncode == 0, done.stderr
    imported = aisle("import", str(made), AISLE_STATE_DIR=str(tmp_path / "other"))
    assert imported.returncode == 0, imported.stderr
    assert "members: 70 rows" in imported.stdout
    assert "left out" not in imported.stdout
    told = aisle("synth", "generate", str(made), "--members", "5", "--events")
    assert told.returncode == 0, told.stderr
    assert json.loads((made / "events.jsonl").read_text().splitlines()[0])["member_id"].startswith("s7-")


def test_a_report_that_cannot_be_written_is_told_before_the_work(aisle: Aisle, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    told = aisle("evaluate", "ranking", "--out", "report")
    assert (told.returncode, told.stderr) == (
        1,
        "aisle: report: file exists; check the path and its owner, or set AISLE_STATE_DIR\n",
    )


def test_no_label_of_a_plot_hides_another() -> None:
    points = [(0.08 + 0.001 * number, 0.41, f"method {number}") for number in range(5)]
    plot = points_svg("Which is best?", {"all": points, "far": [(0.0, 0.15, "far")]}, "coverage", "NDCG@10")
    placed = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)">method', plot)
    assert len(placed) == 5
    assert len({round(float(y)) for x, y, anchor in placed if anchor == "middle"}) == sum(
        a == "middle" for *_, a in placed
    )
    assert "0.0105" not in plot


def test_evaluating_the_chat_says_in_one_line_what_is_missing(aisle: Aisle, tmp_path: Path) -> None:
    nowhere = aisle("evaluate", "chat", "--scripts", str(tmp_path / "nowhere"))
    assert nowhere.returncode == 1
    assert nowhere.stderr == f"aisle: there is no folder {tmp_path / 'nowhere'}\n"
    no_script = aisle("evaluate", "chat", "--topic", "flying")
    assert no_script.stderr == "aisle: no script fits; see --split, --topic, --id and --shop\n"
    nobody = aisle("evaluate", "chat", "--topic", "shop", "--url", "http://127.0.0.1:9")
    assert nobody.stderr.splitlines()[-1].startswith("aisle: nothing answers at http://127.0.0.1:9")
    not_set_up = aisle("evaluate", "chat", "--topic", "shop")
    assert "run `make demo` once" in not_set_up.stderr.splitlines()[-1]


def test_a_display_policy_is_tried_before_anybody_sees_it(aisle: Aisle, tmp_path: Path) -> None:
    shipped = aisle("kiosk", "preview").stdout
    assert re.findall(r" s  (attract|welcome|inspire|calm|help) ", shipped) == [
        "attract", "welcome", "inspire", "calm", "help", "inspire", "attract",
    ]  # fmt: skip
    policy = tmp_path / "mine.yml"
    policy.write_text("calm: {below: 2}\n")
    told = aisle("kiosk", "preview", "--policy", str(policy))
    assert (told.returncode, "calm.after is missing" in told.stderr) == (1, True)
    assert "Traceback" not in told.stderr


def test_a_zone_that_is_none_is_refused_in_one_line(aisle: Aisle) -> None:
    told = aisle("vision", "run", "--source", "0", "--kiosk", "door", "--key", "dk_x", "--exclude", "0,0 2,0 1,1")
    assert (told.returncode, "is no zone" in told.stderr, "Traceback" in told.stderr) == (1, True, False)


def test_accounts_of_staff_are_made_listed_and_ended(aisle: Aisle) -> None:
    made = aisle("accounts", "add", "ana@shop.example", "--role", "admin", "--role", "agent", "--name", "Ana Diaz")
    assert made.returncode == 0, made.stderr
    assert re.search(r"/console/welcome#[\w-]{43}$", made.stdout, re.MULTILINE)
    assert aisle("accounts", "add", "ANA@shop.example", "--role", "agent").stderr.startswith(
        "aisle: there is an account"
    )
    wrong = aisle("accounts", "add", "ben@shop.example", "--role", "king")
    assert wrong.returncode == 1
    assert "roles are marketer, agent, auditor and admin" in wrong.stderr
    assert "invited   ana@shop.example  Ana Diaz  admin, agent  never signed in" in aisle("accounts", "list").stdout
    assert aisle("accounts", "disable", "ana@shop.example").stdout == "disabled\n"
    assert "disabled  ana@shop.example" in aisle("accounts", "list").stdout
    assert aisle("accounts", "enable", "ana@shop.example").returncode == 0
    assert "#" in aisle("accounts", "reset", "ana@shop.example").stdout
    assert "#" in aisle("accounts", "reset", "--last-admin", "ana@shop.example").stdout
    assert aisle("accounts", "remove", "ana@shop.example").stdout == "removed\n"
    assert aisle("accounts", "remove", "ana@shop.example").returncode == 1
    log = aisle("audit", "log").stdout
    assert "accounts add" in log
    assert "ana@" not in log


def test_answers_do_not_tell_what_program_serves_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[uvicorn.Config] = []
    here = sys.modules["api.cli.main"]
    monkeypatch.setattr(here, "settings", lambda: Settings(state_dir=tmp_path))
    monkeypatch.setattr(here, "_settle", lambda: None)
    monkeypatch.setattr("api.app.create_app", lambda _: FastAPI())
    monkeypatch.setattr(uvicorn.Server, "run", lambda server, _: made.append(server.config))
    serve(spare=False)
    assert [config.server_header for config in made] == [False]
