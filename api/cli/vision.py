"""`aisle vision`: watch a camera for a kiosk, look whether everything for it is there, measure it on labelled pictures."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from vision.agent import Agent
    from vision.engines import FaceEngine
    from vision.faces import Frame
    from vision.observation import Observation
    from vision.preview import Preview
    from vision.stages.detect import Zone

app = typer.Typer(no_args_is_help=True, help="Cameras: watch one for a kiosk, check it, measure the models.")


def _models() -> Path:
    return settings().state_dir / "models"


def _engine() -> FaceEngine:
    from vision.engines import make_engine

    return make_engine(settings().vision_engine, _models(), settings().vision_pack)


@app.command("run")
def run_agent(
    source: Annotated[str, typer.Option(help="A camera's number (0), an rtsp:// address, or a video file.")],
    kiosk: Annotated[str, typer.Option(help="The kiosk's name or id.")],
    key: Annotated[str, typer.Option(help="The kiosk's device key (dk_…), from `aisle kiosk create`.", envvar="AISLE_DEVICE_KEY")],
    api: Annotated[str, typer.Option(help="Address of the api.")] = "",
    fps: Annotated[float, typer.Option(min=1, max=60, help="Frames looked at per second, at most. With fewer than one nobody could be followed.")] = 8.0,
    loop: Annotated[bool, typer.Option(help="Start a file again at its end.")] = False,
    exclude: Annotated[list[str] | None, typer.Option(help="A zone in which nobody is looked at, such as the place behind the till: corners in shares of the picture, \"0,0 .3,0 .3,1 0,1\". May be repeated.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="For setting up only: show boxes and what the gates say on a page of this machine, through a link that works once, for half an hour.")] = False,
    preview_port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the preview on this machine; 0: any free one.")] = 0,
    metrics: Annotated[int | None, typer.Option(min=0, max=65535, help="Port on this machine at which Prometheus reads figures, at /metrics.")] = None,
) -> None:  # fmt: skip
    """Watch a camera and tell the api who, of the consenting members, is there. Pictures never leave this process.

    While the api is away, what is seen is kept in memory, and told when it is back. Ctrl-C stops it. --preview and --metrics
    listen on 127.0.0.1 only; for a machine without a screen, use `ssh -L PORT:127.0.0.1:PORT`.
    """
    from api.log import configure
    from vision.agent import Agent
    from vision.capture import Capture
    from vision.expression import ExpressionModel
    from vision.liveness import make_liveness
    from vision.preview import Preview

    zones = _zones(exclude or ())
    configure(settings().log_format)
    seen: list[str] = []

    def tell(_frame: Frame, observation: Observation) -> None:
        known = sum(person.member_id is not None for person in observation.people)
        who = f"{len(observation.people)} there, {known} known" if observation.present else "nobody"
        if seen != [who]:
            seen[:] = [who]
            print(f"{datetime.now(UTC):%H:%M:%S} {kiosk}: {who}", flush=True)

    liveness = make_liveness(settings().vision_liveness, _models())
    shown = Preview(excluded=zones, liveness=liveness is not None) if preview else None
    with ExitStack() as open_now:
        client = open_now.enter_context(_client(api, key))
        agent = Agent(
            client, kiosk, _engine(), ExpressionModel(_models()), liveness=liveness, excluded=zones, after=[shown] if shown else []
        )  # fmt: skip
        agent.connect()
        capture = Capture(source, loop=loop, on_trouble=lambda text: print(text, file=sys.stderr))
        open_now.callback(capture.close)
        _serve(agent, open_now, shown, preview_port, metrics)
        try:
            agent.run(capture, fps=fps, on_seen=tell)
        except KeyboardInterrupt:
            agent.stop()


def _zones(texts: Sequence[str]) -> list[Zone]:
    from vision.stages.detect import zone_of

    try:
        return [zone_of(one) for one in texts]
    except ValueError as error:
        sys.exit(
            f'aisle: {error} is no zone; give three corners or more, each as x,y between 0 and 1: "0,0 .3,0 .3,1 0,1"'
        )


def _client(api: str, key: str) -> httpx.Client:
    import httpx

    base = api or settings().resolved_public_url
    return httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}, timeout=5)


def _serve(agent: Agent, open_now: ExitStack, preview: Preview | None, preview_port: int, metrics: int | None) -> None:
    """Open the pages that were asked for, and say where they are."""
    from vision.local_page import LocalPages, figures

    if metrics is not None:
        served = open_now.enter_context(LocalPages(metrics, {"/metrics": figures(agent.metrics.text)}))
        print(f"figures for Prometheus: {served.url}/metrics", flush=True)
    if preview is not None:
        served = open_now.enter_context(LocalPages(preview_port, preview.pages))
        print(
            "PREVIEW, for setting up only: whoever opens this link sees the people in view. It works once, for half an hour:"
        )
        print(f"  {served.url}/preview?token={preview.token}", flush=True)


@app.command()
def doctor(
    source: Annotated[str, typer.Option(help="A camera's number (0), an rtsp:// address, or a video file.")] = "",
    kiosk: Annotated[str, typer.Option(help="The kiosk's name or id: also ask the api whether this camera may work for it.")] = "",
    key: Annotated[str, typer.Option(help="The kiosk's device key (dk_…).", envvar="AISLE_DEVICE_KEY")] = "",
    api: Annotated[str, typer.Option(help="Address of the api.")] = "",
) -> None:  # fmt: skip
    """Look whether models, speed, camera and api are good enough, and say what to change. Exits with 1 when something is not."""
    from vision.doctor import examine

    given, good = settings(), True
    with ExitStack() as open_now:
        link = (open_now.enter_context(_client(api, key)), kiosk) if kiosk else None
        for check in examine(
            given.vision_engine, _models(), given.vision_pack, source, liveness=given.vision_liveness,
            threshold=given.vision_match_threshold, link=link,
        ):  # fmt: skip
            good &= check.good
            print(f"{'ok  ' if check.good else 'NOT '} {check.what}: {check.found}")
            if not check.good:
                print(f"     {check.advice}")
    sys.exit(0 if good else 1)


@app.command()
def privacy(
    source: Annotated[str, typer.Option(help="A camera's number (0), an rtsp:// address, or a video file.")],
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long to watch.")] = 20.0,
) -> None:  # fmt: skip
    """Run the agent beside a camera, and count every byte that its process writes to files or sends: for whoever installs it. Linux only.

    It tells nobody: what it would tell the api stays on this machine. Exits with 1 when something left that is no observation.
    """
    from vision.engines import make_engine
    from vision.errors import VisionError
    from vision.privacy import NOBODY, THIS_MACHINE, Watched, traced

    given = settings()
    engine = make_engine(given.vision_engine, _models(), given.vision_pack).name
    watched = Watched(
        source, str(_models().resolve()), seconds, engine=given.vision_engine, pack=given.vision_pack, liveness=given.vision_liveness
    )  # fmt: skip
    try:
        trace = traced(watched, NOBODY | {"model": engine})
    except VisionError as error:
        sys.exit(f"aisle: {error}")
    others = [one for one in trace["machines"] if one != THIS_MACHINE]
    beyond = trace["file_bytes"] + trace["other_bytes"]
    print(
        f"looked at    {trace['frames']} pictures of {trace['frame_bytes']:,} bytes, at most {trace['seen']} people in one"
    )
    print(f"told         {trace['observations']} observations, {trace['sent_bytes']:,} bytes of JSON")
    print(f"to files     {trace['file_bytes']:,} bytes")
    print(f"to sockets   {trace['other_bytes']:,} bytes that are no observation")
    print(
        f"other machines  {', '.join(map(_address, others)) or 'none'}"
        + (" (a network camera's own is among them)" if others else "")
    )
    sys.exit(1 if beyond or (others and "://" not in source) else 0)


def _address(kernels: str) -> str:
    """Return an address as people write it: the kernel writes 127.0.0.1 as 0100007F, in words of four bytes."""
    import ipaddress

    parts = [bytes.fromhex(kernels[at : at + 8])[::-1] for at in range(0, len(kernels), 8)]
    return str(ipaddress.ip_address(b"".join(parts)))


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="Folder with pairs.csv, people.csv or labels.csv and pictures, or with folders of pictures by person or expression.")],
    group: Annotated[str, typer.Option(help="Column of the CSV by which errors are also told, such as `skin` or `age`.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the confidence intervals.")] = 7,
) -> None:  # fmt: skip
    """Measure recognition or expression on a labelled folder of yours; one JSON object per figure.

    pairs.csv (image_a, image_b, same): verification. people.csv (person, image): identification, the first picture of
    each enrolled, or those whose role is gallery. labels.csv (image, expression): expression in four classes. Pictures lie in images/
    or beside the files. Without such files: gallery/ and probe/ with a folder for each person, a folder for each expression, or a folder for
    each person. What is there is measured.
    """
    from vision.evaluation import measure
    from vision.expression import ExpressionModel
    from vision.labelled import EvaluationError, read

    try:
        figures: list[dict[str, Any]] = measure(
            read(folder, group), _engine(), ExpressionModel(_models()), group=group, seed=seed, progress=_progress,
            threshold=settings().vision_match_threshold,
        )  # fmt: skip
    except EvaluationError as error:
        sys.exit(f"aisle: {error}")
    for figure in figures:
        print(json.dumps(figure))


@app.command()
def calibrate(
    faces: Annotated[Path | None, typer.Option(help="Folder with people.csv (person, image) and images/: sets the engine's threshold.")] = None,
    expressions: Annotated[Path | None, typer.Option(help="Folder with labels.csv (image, expression) and images/: sets the temperature.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: the one that ships.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the folds.")] = 7,
) -> None:  # fmt: skip
    """Choose the threshold of matches and the scale of expressions on labelled pictures of yours, by cross-validation over people."""
    from vision import calibration
    from vision.calibrate import calibrated
    from vision.expression import ExpressionModel
    from vision.labelled import EvaluationError

    if faces is None and expressions is None:
        sys.exit("aisle: give --faces, --expressions, or both")
    try:
        found = calibrated(
            calibration.shipped(), _engine(), ExpressionModel(_models()), faces=faces, expressions=expressions, seed=seed, progress=_progress
        )  # fmt: skip
    except EvaluationError as error:
        sys.exit(f"aisle: {error}")
    found.save(out or calibration.FILE)
    print(f"{out or calibration.FILE} written")
    print(json.dumps(found.made))


def _progress(done: int, total: int) -> None:
    print(f"\r{done} of {total} pictures", end="" if done < total else "\n", file=sys.stderr)
