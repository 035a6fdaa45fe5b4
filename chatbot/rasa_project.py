"""Train and start the Rasa project: one way for the demo, the tests and the containers.

`python -m chatbot.rasa_project train --out DIR` trains when the project's files changed; `… serve` starts the server.
Rasa lives in an environment of its own, since its pins cannot live with today's libraries.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).with_name("rasa")
LANGUAGES = Path(__file__).with_name("languages")
ENCODER = "minilm_l6_v2_int8.onnx"
QUIET = {
    "RASA_MAX_CACHE_SIZE": "0",  # a training starts from the files, not from what an earlier one left
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


class RasaProjectError(Exception):
    """Rasa is not installed, or its training failed; the message says what to do."""


def fingerprint(models: Path) -> str:
    """Return a hash of everything that training depends on: the project, our components, the languages' files, and the sentence encoder in `models`."""
    digest = hashlib.sha256()
    trained_on = [path for folder in ("data", "domain", "components") for path in (PROJECT / folder).rglob("*.*")]
    trained_on += LANGUAGES.rglob("*.*")
    for path in sorted([PROJECT / "config.yml", *(path for path in trained_on if path.suffix in {".yml", ".py"})]):
        digest.update(path.relative_to(PROJECT.parent).as_posix().encode() + b"\0" + path.read_bytes())
    encoder = models / ENCODER
    digest.update(encoder.read_bytes() if encoder.exists() else b"")
    return digest.hexdigest()[:16]


def models_beside(out: Path) -> Path:
    """Return the folder of the sentence encoder for trained models in `out`, with the encoder made ready where it can be."""
    models = out.resolve().parent / "models"
    if (models / ENCODER).exists():  # what makes it takes a second to import
        return models
    with contextlib.suppress(ImportError):  # Rasa's own environment reads the encoder and cannot make it
        from personalization.ranking.sentences.encoder import write_quick  # noqa: PLC0415

        write_quick(models)
    return models


def _environment(models: Path) -> dict[str, str]:
    return {**QUIET, "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT.parent.parent}", "AISLE_MODELS_DIR": str(models)}


def rasa_executable(environment: Path | None = None) -> Path:
    """Return Rasa's program; RasaProjectError when its environment is missing."""
    path = (environment or PROJECT.parent.parent / ".venv-rasa") / "bin" / "rasa"
    if not path.exists():
        raise RasaProjectError(f"Rasa is not installed in {path.parent.parent}; run `make setup`")
    return path


def run_rasa(arguments: list[str], models: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of Rasa's in the project's folder, with the sentence encoder in `models`; return what it said."""
    return subprocess.run(
        [str(rasa_executable()), *arguments],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **_environment(models)},
        capture_output=True,
        text=True,
        check=False,
    )


def train(out: Path) -> Path:
    """Return the model of the project as it is now, trained into `out` unless it is there already."""
    out = out.resolve()  # Rasa runs in the project's folder
    models = models_beside(out)
    model = out / f"aisle-{fingerprint(models)}.tar.gz"
    if model.exists():
        return model
    out.mkdir(parents=True, exist_ok=True)
    partial = out / f"partial-{os.getpid()}"
    done = run_rasa(["train", "--domain", "domain", "--data", "data", "--out", str(partial), "--fixed-model-name", "aisle"], models)  # fmt: skip
    trained = partial / "aisle.tar.gz"
    if done.returncode or not trained.exists():
        last = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise RasaProjectError(f"training the dialogue failed:\n{last}")
    trained.rename(model)
    partial.rmdir()
    return model


def serve_command(
    model: Path, *, host: str, port: int, action_url: str, action_token: str
) -> tuple[list[str], dict[str, str]]:
    """Return the command that serves `model`, and what it adds to the environment."""
    command = [str(rasa_executable().with_name("python")), str(PROJECT / "serve.py"), "run", "--model", str(model), "--interface", host, "--port", str(port),
               "--endpoints", str(PROJECT / "endpoints.yml"), "--credentials", str(PROJECT / "credentials.yml"), "--enable-api"]  # fmt: skip
    return command, {
        **_environment(models_beside(model.parent)),
        "AISLE_ACTION_URL": action_url,
        "AISLE_ACTION_TOKEN": action_token,
    }


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m chatbot.rasa_project", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("train", "train unless the project is unchanged"), ("serve", "train if needed, then serve")):
        sub = commands.add_parser(name, help=about)
        sub.add_argument("--out", type=Path, default=Path("var/rasa"), help="folder for trained models")
        if name == "serve":
            sub.add_argument("--host", default="127.0.0.1")
            sub.add_argument("--port", type=int, default=5005)
            sub.add_argument("--action-url", required=True)
            sub.add_argument("--action-token", required=True)
    given = parser.parse_args(arguments)
    try:
        model = train(given.out)
    except RasaProjectError as error:
        sys.exit(str(error))
    if given.command == "serve":
        command, extra = serve_command(
            model, host=given.host, port=given.port, action_url=given.action_url, action_token=given.action_token
        )
        os.execve(command[0], command, {**os.environ, **extra})  # noqa: S606
    sys.stderr.write(f"{model}\n")


if __name__ == "__main__":
    main()
