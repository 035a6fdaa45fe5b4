"""Commands, their help, and one clear line when something goes wrong."""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from api.cli import (
    accounts,
    audit,
    cameras,
    creative,
    data,
    erasures,
    evaluate,
    experiments,
    figures,
    manage,
    profiles,
    retention,
    staff,
    synth,
    vision,
)
from api.settings import settings

LOOK_AGAIN_S = 0.05
app = typer.Typer(
    name="aisle",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Aisle: chat and kiosk, one personalization core. Start with `make demo`, or: "
    "`aisle db upgrade`, `aisle import FOLDER`, `aisle train`, `aisle models pull`, `aisle up`.",
)
app.add_typer(manage.db, name="db")
app.add_typer(manage.keys, name="keys")
app.add_typer(accounts.app, name="accounts")
app.add_typer(manage.kiosk, name="kiosk")
app.add_typer(manage.members, name="members")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(data.models, name="models")
app.add_typer(vision.app, name="vision")
app.add_typer(creative.app, name="creative")
cameras.register(vision.app)
vision.app.add_typer(staff.app, name="staff")
app.add_typer(figures.app, name="figures")
app.add_typer(retention.app, name="retention")
app.add_typer(erasures.app, name="erasures")
app.add_typer(audit.app, name="audit")
app.add_typer(synth.synth, name="synth")
app.add_typer(experiments.experiment, name="experiment")
app.command("import")(data.import_)
app.command("train")(data.train)
app.command("profile")(profiles.profile)
app.command("replay")(profiles.replay)
app.command("segments")(profiles.segments)
app.command("rules")(profiles.rules)
app.command("uplift")(experiments.uplift)


@app.command("lint-voice")
def lint_voice(
    folder: Annotated[
        Path | None, typer.Argument(help="Own brand.yml and responses; AISLE_VOICE_DIR without it.")
    ] = None,
) -> None:
    """Hold every response of every language against the brand's voice."""
    from chatbot.voice.lint import main as lint

    raise typer.Exit(lint(folder or settings().voice_dir))


@app.command("read-as")
def read_as(
    language: Annotated[str, typer.Argument(help="Code of a language, such as de.")],
    text: Annotated[str, typer.Argument(help="What a shopper writes.")],
) -> None:
    """Show in which words the rules read a message of another language (its glossary.yml and products.yml)."""
    from chatbot.languages import read

    sys.stdout.write(read(text, language) + "\n")


@app.command()
def serve(
    spare: Annotated[
        bool, typer.Option(help="Wait, ready, until no other process has the port; then take over.")
    ] = False,
) -> None:
    """Run the api (and, unless AISLE_WORKER=external, the worker inside it)."""
    for library in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # read once, at their import
        os.environ.setdefault(
            library, "1"
        )  # a helper for products this small only spins: two fifths of all a message took
    import uvicorn

    from api.app import create_app
    from api.log import SERVER_LOG
    from api.shares import step_forward

    found = settings()
    made = create_app(found)
    _settle()
    if spare:
        step_forward(os.getpid())
    config = uvicorn.Config(
        made,
        host=found.host,
        port=found.port,
        log_level="warning",
        access_log=False,
        log_config=SERVER_LOG,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run([_port_when_free(found.host, found.port)] if spare else None)


@app.command()
def worker() -> None:
    """Run the worker alone, beside api processes that have AISLE_WORKER=external."""
    import signal

    from api.log import configure
    from api.wiring import build_services
    from api.worker import Worker

    configure(settings().log_format)
    running = Worker(build_services(settings()))
    _settle()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: running.stop())
    running.run()


@app.command()
def up(demo: Annotated[bool, typer.Option(help="Serve the demo shop too. Never in production.")] = False) -> None:
    """Run everything on this machine under one supervisor: api, worker and Rasa. Ctrl-C stops it all."""
    from api.supervisor import run

    raise typer.Exit(run(settings(), demo=demo))


@app.command()
def openapi(
    out: Annotated[Path | None, typer.Argument(help="File to write; standard output without it.")] = None,
) -> None:
    """Write the API's OpenAPI document."""
    import json
    import tempfile

    from api.app import create_app
    from api.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(create_app(Settings(state_dir=Path(folder), database_url="")).openapi(), indent=1)
    if out is None:
        print(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n")


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(help="Which benchmark: skeleton, profiling, ranking, coupons, chat, vision, creative or trust."),
    ],
    quick: Annotated[bool, typer.Option(help="Smaller samples; ends within 50 s.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data", help="Evaluation data; ../shared/data when it exists.")
    ] = None,
) -> None:
    """Run a benchmark: one JSON object per metric on standard output, progress on standard error."""
    from importlib import import_module
    from importlib.util import find_spec

    if not name.isidentifier() or find_spec(f"bench.{name}") is None:
        fail(
            f"there is no benchmark {name}; there are: skeleton, profiling, ranking, coupons, chat, vision, creative, trust"
        )
    default = Path("../shared/data")
    import_module(f"bench.{name}").main(quick=quick, data=data_dir or (default if default.is_dir() else None))


def _port_when_free(host: str, port: int) -> socket.socket:
    """Return the listening port, as soon as nobody else has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=2048)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        time.sleep(LOOK_AGAIN_S)


def _settle() -> None:
    """Tell the garbage collector that what is loaded now stays, and threads to take turns often.

    SQLite's driver lets go of the interpreter at every row; at Python's own 5 ms it would come back late each time.
    """
    import gc

    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def fail(message: str) -> None:
    """End with one line on standard error."""
    print(f"aisle: {message}", file=sys.stderr)
    raise typer.Exit(1)


def main() -> None:
    """Run the command line; an error that has an explanation is one line without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        os._exit(130)
    except Exception as error:
        told = _explained(error)
        if told is None:
            raise
        sys.exit(f"aisle: {told}")


def _explained(error: Exception) -> str | None:
    """Return one line that says what is wrong and what to do; None for what nobody foresaw."""
    from pydantic import ValidationError
    from sqlalchemy.exc import ArgumentError, OperationalError

    from api.oidc import OidcError
    from api.stream import StreamError
    from chatbot.orders.policy import PolicyError
    from personalization.profiling.labels import LabelRuleError
    from personalization.trust.fairness import FairnessError
    from personalization.trust.retention import RetentionError
    from stores.errors import StoreError
    from vision.errors import VisionError

    if isinstance(
        error,
        StoreError
        | VisionError
        | StreamError
        | OidcError
        | LabelRuleError
        | PolicyError
        | FairnessError
        | RetentionError,
    ):
        return str(error)
    if isinstance(error, ValidationError):
        wrong = error.errors()[0]
        return f"the setting AISLE_{'_'.join(map(str, wrong['loc'])).upper()} is not valid: {wrong['msg']}"
    if isinstance(error, OperationalError):
        return f"the database does not answer ({str(error.orig).splitlines()[0]}); check AISLE_DATABASE_URL"
    if isinstance(error, ArgumentError):
        return f"AISLE_DATABASE_URL is not valid: {error}; use sqlite:///PATH or postgresql://USER@HOST/NAME"
    if isinstance(error, OSError) and error.filename is not None:
        trouble = (error.strerror or "cannot be used").lower()
        return f"{error.filename}: {trouble}; check the path and its owner, or set AISLE_STATE_DIR"
    return None
