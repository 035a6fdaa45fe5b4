"""`shop.yml`: what a retailer tells shoppers about the shop itself."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import structlog
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.settings import Settings
from chatbot.ports import ShopFacts

log = structlog.get_logger(__name__)
DEMO = Path(__file__).with_name("shop_demo.yml")


class ShopFile(BaseModel):
    """The keys of `shop.yml`; each may be left out, and the assistant then says that it does not know."""

    model_config = ConfigDict(extra="forbid")

    address: str = Field("", max_length=300, description="Street, number, postcode, town.")
    directions: str = Field("", max_length=600, description="How to get there, where to park.")
    phone: str = Field("", max_length=40)
    email: str = Field("", max_length=120)
    website: str = Field("", max_length=200)
    delivery: str = Field("", max_length=1000, description="Where to, how soon, for how much.")
    payment: list[str] = Field(default_factory=list, max_length=20, description="Ways to pay.")
    returns: str = Field("", max_length=1500, description="The rules for returns and refunds.")
    membership: str = Field("", max_length=1000, description="What membership is, and how one joins.")
    languages: list[str] = Field(default_factory=lambda: ["English"], min_length=1, max_length=10)


def shop_facts(settings: Settings) -> ShopFacts:
    """Return what the settings and the shop's file tell; a file that cannot be read tells nothing, and the log says why."""
    path = settings.shop_file or settings.state_dir / "shop.yml"
    if settings.demo and not path.exists():
        path = DEMO
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    told = _read(path, stamp)
    return ShopFacts(
        retailer=settings.retailer, hours=settings.store_hours, contact=settings.support_contact, address=told.address,
        directions=told.directions, phone=told.phone, email=told.email, website=told.website, delivery=told.delivery,
        payment=tuple(told.payment), returns=told.returns, membership=told.membership, languages=tuple(told.languages),
    )  # fmt: skip


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> ShopFile:
    if not stamp:
        return ShopFile()
    try:
        return ShopFile.model_validate(yaml.safe_load(path.read_text()) or {})
    except (OSError, yaml.YAMLError, ValidationError) as error:
        log.warning("the shop's file cannot be used", path=str(path), reason=str(error)[:300])
        return ShopFile()
