"""docker-compose.yml: our own entry points, one door to the outside, secrets that must be set."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
AISLE = str(Path(sys.executable).with_name("aisle"))
TEXT = (ROOT / "docker-compose.yml").read_text()
OURS = ("api", "worker", "vision", "models")


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TEXT)["services"]
    return found


def test_only_the_api_is_published_and_rasa_and_the_databases_are_reached_from_inside_alone(
    services: dict[str, Any],
) -> None:
    assert set(services) == {"api", "models", "worker", "rasa", "rasa-2", "vision", "postgres", "redis"}
    assert [name for name, service in services.items() if service.get("ports")] == ["api"]
    for name in ("rasa", "rasa-2", "worker", "postgres", "redis"):
        assert services[name]["networks"] == ["inside"]
    assert yaml.safe_load(TEXT)["networks"]["inside"] == {"internal": True}


def test_its_services_use_the_same_entry_points_as_everything_else(services: dict[str, Any]) -> None:
    for name in OURS:
        program, *arguments = services[name]["command"]
        assert program == "aisle"
        words = arguments[: next((at for at, word in enumerate(arguments) if word.startswith("--")), None)]
        told = subprocess.run([AISLE, *words, "--help"], check=True, capture_output=True, text=True).stdout
        assert [option for option in arguments if option.startswith("--") and option not in told] == []
    assert services["rasa"]["command"][:4] == ["python", "-m", "chatbot.rasa_project", "serve"]


def test_every_variable_it_sets_is_a_setting(services: dict[str, Any]) -> None:
    known = {f"AISLE_{name.upper()}" for name in Settings.model_fields} | {"AISLE_DEVICE_KEY"}
    for name in OURS:
        assert set(services[name]["environment"]) - known == set()


def test_secrets_have_no_defaults(services: dict[str, Any]) -> None:
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert required == {"POSTGRES_PASSWORD", "AISLE_MASTER_KEY", "AISLE_ACTION_TOKEN"}


def test_only_who_opens_the_database_knows_its_secrets_and_no_image_holds_them(services: dict[str, Any]) -> None:
    secrets = {"AISLE_MASTER_KEY", "AISLE_ACTION_TOKEN", "AISLE_DATABASE_URL"}
    told = {name: secrets & set(services[name]["environment"]) for name in OURS}
    assert told == {"api": secrets, "worker": secrets, "models": set(), "vision": set()}
    assert ".env" in (ROOT / ".dockerignore").read_text().splitlines()


def test_what_is_built_can_be_found_and_what_is_waited_for_tells_its_health(services: dict[str, Any]) -> None:
    for service in services.values():
        if build := service.get("build"):
            assert (ROOT / build["dockerfile"]).exists()
        for name, wait in dict(service.get("depends_on", {})).items():
            assert wait["condition"] != "service_healthy" or "healthcheck" in services[name]
    declared = set(yaml.safe_load(TEXT)["volumes"])
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert named == declared


def test_docker_accepts_it() -> None:
    environment = {**os.environ, "POSTGRES_PASSWORD": "p", "AISLE_MASTER_KEY": "k", "AISLE_ACTION_TOKEN": "t"}
    try:
        subprocess.run(["docker", "compose", "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the docker compose plugin is not installed here")
    done = subprocess.run(
        ["docker", "compose", "config", "--quiet"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
