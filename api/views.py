"""What the brain's words look like as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from personalization.decisions import Creative, Decision
from personalization.offers import Allotment, Coupon, Terms
from personalization.ranking.sources import SEARCHED
from personalization.types import Label, Money, Product, SlateItem
from stores.conversations import Message
from stores.members import Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.schemas import BasketLineIn
    from chatbot.ports import BasketLine
    from personalization.coupons.basket import Applied
    from personalization.experiments.analysis import Result
    from stores.experiments import Stored
    from stores.films import StoredFilm
    from stores.labels import Veto
    from stores.redeeming import Redemption


def money(value: Money) -> dict[str, Any]:
    """Return an amount for machines and, in `text`, for people."""
    return {"minor_units": value.minor_units, "currency": value.currency, "text": str(value)}


def picture_url(product: Product, base: str = "") -> str:
    """Return the address of a product's photograph, another one for another file, or of its drawing."""
    shown = f"picture?v={product.picture[:12]}" if product.picture else "picture.svg"
    return f"{base}/v1/products/{product.product_id}/{shown}"


def card(item: SlateItem, base: str = "") -> dict[str, Any]:
    """Return an item as a card shows it; `base` makes addresses absolute, for widgets on other origins."""
    product = item.product
    return {
        "product_id": product.product_id, "name": product.name, "category": product.category, "rank": item.rank,
        "price": money(product.price), "regular_price": money(product.regular_price) if product.regular_price else None,
        "picture_url": picture_url(product, base), "reason": item.reason.sentence,
        "reason_code": item.reason.code, "matched": not SEARCHED.isdisjoint(item.sources),
    }  # fmt: skip


def basket(lines: Sequence[BasketLine], total: Money, base: str = "") -> dict[str, Any]:
    """Return a basket as the chat and the shop's page show it."""
    return {
        "lines": [
            {
                "product_id": line.product.product_id, "name": line.product.name, "quantity": line.quantity, "price": money(line.product.price),
                "amount": money(Money(line.product.price.minor_units * line.quantity, line.product.price.currency)),
                "picture_url": picture_url(line.product, base), "in_stock": line.product.in_stock,
            }
            for line in lines
        ],
        "pieces": sum(line.quantity for line in lines), "total": money(total),
    }  # fmt: skip


def coupon(value: Coupon, base: str = "") -> dict[str, Any]:
    """Return a coupon as a card shows it: what it takes off, of what, and below that the reason why this shopper has it."""
    sentence = value.reason.sentence if value.reason else f"{value.discount} off"
    name = value.reason.facts.get("product_name") if value.reason else None
    return {
        "code": value.code, "discount": money(value.discount), "text": sentence, "product_name": name,
        "reason": sentence.removeprefix(f"{value.discount} off {name}.").strip() if name else None,
        "product_ids": sorted(value.product_ids), "campaign_id": value.campaign_id, "expires_at": value.expires_at.isoformat(),
        "qr_url": f"{base}/v1/coupons/{value.code}/qr.svg",
    }  # fmt: skip


def terms(value: Terms) -> dict[str, Any]:
    """Return when a coupon counts, and how."""
    return {
        "percent": value.percent_bp / 100 if value.percent_bp else None, "minimum_basket_minor": value.minimum_basket,
        "categories": sorted(value.categories), "stacking": value.stacking.value,
    }  # fmt: skip


def redemption(value: Redemption) -> dict[str, Any]:
    """Return a redemption, standing or taken back."""
    return {
        "redemption_id": value.redemption_id, "order_id": value.order_id, "redeemed": money(value.amount),
        "redeemed_at": value.at.isoformat(), "rolled_back_at": value.rolled_back_at.isoformat() if value.rolled_back_at else None,
    }  # fmt: skip


def priced(lines: Sequence[BasketLineIn], applied: Applied, currency: str) -> dict[str, Any]:
    """Return what coupons take off a basket."""
    total = sum(line.amount_minor for line in lines)
    amounts = {"total": total, "discount": applied.total, "to_pay": total - applied.total}
    return {
        **{name: money(Money(amount, currency)) for name, amount in amounts.items()},
        "lines": [
            {"product_id": line.product_id, "amount_minor": line.amount_minor, "discount_minor": off, "to_pay_minor": line.amount_minor - off}
            for line, off in zip(lines, applied.off, strict=True)
        ],
        "coupons": [
            {"code": use.code, "applies": use.reason is None, "discount_minor": use.total, "lines_minor": list(use.off),
             "reason": {"code": use.reason.code, "sentence": use.reason.sentence} if use.reason else None}
            for use in applied.uses
        ],
    }  # fmt: skip


def creative(value: Creative, base: str = "") -> dict[str, Any]:
    """Return where a poster is, and what it shows."""
    return {
        "creative_id": value.creative_id, "url": f"{base}/v1/creatives/{value.creative_id}.webp", "alt": value.alt, "width": value.width,
        "height": value.height,
    }  # fmt: skip


def film(value: StoredFilm) -> dict[str, Any]:
    """Return where a film is that is played in a poster's place, and its still for who wants no motion."""
    address = f"/v1/films/{value.film_id}"
    return {
        "film_id": value.film_id,
        "url": f"{address}.mp4",
        "still": f"{address}.jpg",
        "seconds": value.told["seconds"],
    }


def decision(value: Decision) -> dict[str, Any]:
    """Return a decision with everything that it can be traced by."""
    return {
        "decision_id": value.decision_id, "at": value.at.isoformat(), "channel": value.context.channel.value,
        "member_id": value.subject.member_id, "visitor_id": value.subject.visitor_id, "explanation": value.explanation,
        "items": [{**card(item), "sources": list(item.sources), "score": item.score, "facts": dict(item.reason.facts)} for item in value.slate],
        "coupon": coupon(value.coupon) if value.coupon else None, "creative": creative(value.creative) if value.creative else None,
        "segment": {"segment_id": value.segment.segment_id, "name": value.segment.name, "description": value.segment.description} if value.segment else None,
        "inputs_used": list(value.inputs_used), "inputs_withheld": list(value.inputs_withheld),
        "fallbacks": [{"component": f.component, "used": f.used, "cause": f.cause} for f in value.fallbacks],
        "allotment": allotment(value.allotment) if value.allotment else None,
        "model_versions": dict(value.model_versions), "arms": dict(value.arms), "latency_ms": value.latency_ms,
    }  # fmt: skip


def allotment(value: Allotment) -> dict[str, Any]:
    """Return what was weighed for a coupon: the price of money, and every rung with its numbers, the one taken marked."""
    return {
        "campaign_id": value.campaign_id, "product_id": value.product_id, "objective": value.objective,
        "price_of_money": value.price, "explored": value.explored,
        "rungs": [
            {
                "offer_id": rung.offer_id, "discount_minor": rung.discount_minor, "conversion_drawn": rung.drawn,
                "conversion": rung.conversion, "value": rung.value, "expected_cost": rung.cost, "score": rung.score,
                "probability": rung.probability, "taken": place == value.chosen,
            }
            for place, rung in enumerate(value.rungs)
        ],
    }  # fmt: skip


def label_words(value: Label) -> str:
    """Return a label's name, and its value where that is a word, as people read it."""
    name = value.name.replace("_", " ").capitalize()
    return f"{name}: {value.value}" if isinstance(value.value, str) else name


def veto(value: Veto) -> dict[str, Any]:
    """Return who said that a label is not true, and why where staff said so."""
    return {"name": value.name, "by": value.by, "at": value.at.isoformat(), "reason": value.reason}


def label(value: Label) -> dict[str, Any]:
    """Return a label with its reasons."""
    return {
        "name": value.name, "value": value.value, "confidence": round(value.confidence, 3), "sentence": value.sentence,
        "evidence": dict(value.evidence), "source": value.source, "purpose": value.purpose.value,
        "created_at": value.created_at.isoformat(), "expires_at": value.expires_at.isoformat(),
    }  # fmt: skip


def member(value: Member, *, address: bool = True) -> dict[str, Any]:
    """Return a member's master data, the e-mail address only with `address`."""
    return {
        "member_id": value.member_id, "external_id": value.external_id, "display_name": value.display_name,
        "name_is_synthetic": value.name_is_synthetic, "email": value.email if address else None,
        "created_at": value.created_at.isoformat(),
    }  # fmt: skip


def experiment(value: Stored) -> dict[str, Any]:
    """Return an experiment with its dates."""
    spec = value.experiment
    dates = {name: getattr(value, name) for name in ("created_at", "started_at", "ended_at")}
    return {
        "experiment_id": spec.experiment_id, "hypothesis": spec.hypothesis, "arms": [asdict(arm) for arm in spec.arms], "metric": spec.metric,
        "guardrails": dict(spec.guardrails), "traffic": spec.traffic, "window_days": spec.window_days, "design": spec.design, "planned_units": spec.planned_units, "status": value.status,
        **{name: date.isoformat() if date else None for name, date in dates.items()},
    }  # fmt: skip


def result(value: Result) -> dict[str, Any]:
    """Return what came of an experiment."""
    return {
        "units": dict(value.units), "srm_p": value.srm_p,
        "results": [
            {"arm": one.arm, "units": one.units, "effects": [asdict(effect) for effect in one.effects], "broken": list(one.broken),
             "verdict": one.verdict}
            for one in value.arms
        ],
    }  # fmt: skip


def message(one: Message) -> dict[str, Any]:
    """Return a stored message as the widget and the inbox get it."""
    own = {"client_message_id": one.client_message_id} if one.client_message_id else {}
    return {"message_id": one.message_id, "role": one.role, "at": one.at.isoformat(), **one.body, **own}
