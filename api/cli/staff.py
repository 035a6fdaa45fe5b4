"""`aisle vision staff`: whom cameras leave out because they work here."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.cameras import operator
from api.settings import settings

if TYPE_CHECKING:
    from stores.staff import SqlStaff

LEAST_PICTURES = 3
app = typer.Typer(
    no_args_is_help=True,
    help="Staff whom cameras leave out: whoever matches is dropped before anything else is inferred, and nothing is written of them.",
)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What they are called, to find them again in the list.")],
    pictures: Annotated[list[Path], typer.Argument(help="Three pictures or more of this one person, looking at the camera. They are not kept.")],
    consent: Annotated[str, typer.Option(help="Version of the text that they agreed to, for example staff-2. Ask before you add anybody.")],
) -> None:  # fmt: skip
    """Have every camera leave somebody out. The same name again adds a further template, for example with glasses.

    Reading the emotions of people at work is forbidden in the EU (AI Act, article 5(1)(f)). A template is needed to leave somebody out
    who walks about; whoever always stands in one place is better left out by `aisle vision run --exclude`, which needs no template.

    aisle vision staff add "Ana Diaz" ana-1.jpg ana-2.jpg ana-3.jpg --consent staff-2
    """
    import cv2
    import numpy as np

    from stores.staff import Consent
    from vision.engines import make_engine
    from vision.enrol import make_template

    if not 0 < len(name.strip()) <= 120 or not 0 < len(consent.strip()) <= 64:
        sys.exit("aisle: a name has at most 120 characters, the version of a text at most 64")
    if len(pictures) < LEAST_PICTURES:
        sys.exit("aisle: give three pictures or more of this one person")
    frames = []
    for path in pictures:
        frame = (
            cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
        )
        if frame is None:
            sys.exit(f"aisle: {path} is no picture that can be read; give JPEG or PNG files")
        frames.append(np.asarray(frame, np.uint8))
    given = settings()
    engine = make_engine(given.vision_engine, given.state_dir / "models", given.vision_pack)
    template = make_template(engine, frames)
    agreed = Consent(consent.strip(), datetime.now(UTC), operator())
    made = _staff().add(name.strip(), template, model=engine.name, consent=agreed)
    print(f"{made.staff_id}  {made.name}: {made.templates} of at most 5 templates, agreed to {consent.strip()}")


@app.command("list")
def list_staff() -> None:
    """List everybody, with what they agreed to and when."""
    everybody = _staff().all()
    for one in everybody:
        agreed = f"{one.consent.text_version} on {one.consent.at:%Y-%m-%d}, recorded by {one.consent.recorded_by}"
        print(f"{one.staff_id}  {one.name}  {one.templates} templates  agreed to {agreed}")
    if not everybody:
        print("Nobody yet: `aisle vision staff add NAME PICTURES… --consent VERSION`.")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Name or id, as in the list.")]) -> None:
    """Delete somebody's templates and consent record, when they leave or withdraw. Cameras take them for a stranger then."""
    done = _staff().remove(name, at=datetime.now(UTC))
    print(f"{done['deleted']['staff_templates']} templates deleted, receipt {done['receipt_id']}")


def _staff() -> SqlStaff:
    from api.opening import open_database
    from stores.staff import SqlStaff

    return SqlStaff(open_database(settings()))
