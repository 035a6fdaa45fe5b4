"""Details that a message gives: who writes, numbers of orders, ways to pay, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from chatbot.orders.text import bare
from personalization.orders import Address, Customer, Order, PaymentMethod

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_POSTCODE = re.compile(r"\b\d{5}\b(?!-?\d)")
_NAME = re.compile(r"(?:(?i:my name is|i am|i'm|this is|name:?|name's|it is|it's|you can call me|called))\s+([A-Z][\w'-]+)\s+(?:[A-Z]\.?\s+)?([A-Z][\w'-]+)")  # fmt: skip
_TWO = re.compile(r"\b([A-Z][a-z'-]+(?:[A-Z][a-z]+)?)\s+([A-Z][\w'-]+)\b")
_USER_ID = re.compile(r"\b([a-z]+)_([a-z]+)_\d{3,}\b")
_NO_NAME = {
    "order", "my", "the", "hi", "hello", "hey", "yes", "no", "zip", "code", "postcode", "user", "new", "san", "los", "fort", "gift", "credit",
    "and", "is", "in", "it", "to", "i", "a", "name", "email", "sure", "ok", "okay", "thanks", "please", "id", "your", "here", "am", "live", "with", "for",
}  # fmt: skip
_ORDER = re.compile(r"(?i)#\s?([a-z]{0,3}-?\d{4,12})\b|\b([a-z]{1,2}-?\d{5,12})\b|\border(?: (?:number|id|no\.?|is|nr\.?))*:?\s+#?(\d{5,12})\b|^\s*#?(\d{6,9})[.!]?\s*$|\b(\d{7,8})\b")  # fmt: skip
_KINDS = {
    "gift_card": re.compile(r"(?i)\bgift ?-?cards?\b|\bGC\b"), "paypal": re.compile(r"(?i)\bpay ?pal\b"),
    "credit_card": re.compile(r"(?i)\b(?:credit|debit|visa|master ?card|amex|american express|discover)\b(?: ?cards?)?|(?<!gift )(?<!gift-)(?<!gift)\bcards?\b"),
}  # fmt: skip
_BRANDS = {"visa": r"visa", "mastercard": r"master ?card", "amex": r"amex|american express", "discover": r"discover"}
_CITIES = {"nyc": "new york", "ny": "new york", "la": "los angeles", "sf": "san francisco", "dc": "washington", "philly": "philadelphia", "big apple": "new york"}  # fmt: skip
_STATES = dict(
    line.split(":") for line in
    ["alabama:AL", "alaska:AK", "arizona:AZ", "arkansas:AR", "california:CA", "colorado:CO", "connecticut:CT", "delaware:DE", "florida:FL", "georgia:GA", "hawaii:HI", "idaho:ID", "illinois:IL", "indiana:IN", "iowa:IA", "kansas:KS", "kentucky:KY", "louisiana:LA", "maine:ME", "maryland:MD", "massachusetts:MA", "michigan:MI", "minnesota:MN", "mississippi:MS", "missouri:MO", "montana:MT", "nebraska:NE", "nevada:NV", "new_hampshire:NH", "new_jersey:NJ", "new_mexico:NM", "new_york:NY", "north_carolina:NC", "north_dakota:ND", "ohio:OH", "oklahoma:OK", "oregon:OR", "pennsylvania:PA", "rhode_island:RI", "south_carolina:SC", "south_dakota:SD", "tennessee:TN", "texas:TX", "utah:UT", "vermont:VT", "virginia:VA", "washington:WA", "west_virginia:WV", "wisconsin:WI", "wyoming:WY", "district_of_columbia:DC"]
)  # fmt: skip
_STREET = re.compile(
    r"(?i)\b(\d+[a-z]?\s+[\w.' -]+?)\s*,\s*(?:((?:suite|apt\.?|apartment|unit|floor|#)\s*[\w-]+)\s*,\s*)?([a-z .'-]+?)\s*,\s*"
    r"(?:([a-z ]+?)\s*,?\s*)?(\d{5}|[A-Z]{1,2}\d[\dA-Z]?\s*\d[A-Z]{2})\b(?:\s*,\s*([a-z. ]+?)(?=[.,;)]|$))?"
)


def read_proof(text: str, *, asked: bool) -> dict[str, str]:
    """Return what a message tells about who writes: e-mail, names, postcode."""
    found: dict[str, str] = {}
    if email := _EMAIL.findall(text):
        found["email"] = " ".join(email)
    rest = _EMAIL.sub(" ", text)
    rest = re.sub(r"#\S+", " ", rest)
    if postcode := _POSTCODE.search(rest):
        found["postcode"] = postcode[0]
    match = _NAME.search(rest) or _USER_ID.search(rest)
    if match is None and asked:
        match = _TWO.search(rest) if _plausible(_TWO.search(rest)) else _last_resort(rest)
    if match is not None and _plausible(match):
        found["first_name"], found["last_name"] = match[1].capitalize() if match[1].islower() else match[1], match[2].capitalize() if match[2].islower() else match[2]  # fmt: skip
    return found


_PROOF_WORDS = re.compile(
    r"(?i)\b(?:my|the|is|it'?s|i'?m|i am|this|name|full|e-?mail|mail|address|zip|post ?code|code|and|in|at|sure|ok(?:ay)?|yes|here|hi|hello|you|are|thanks?|please|of course|account|user)\b"
)


def more_than_proof(text: str) -> bool:
    """Whether a message says more than who writes: a wish beside the e-mail address."""
    rest = _PROOF_WORDS.sub(" ", _POSTCODE.sub(" ", _EMAIL.sub(" ", text)))
    return len(re.findall(r"[^\W_]+", rest)) > 2  # beside a first and a last name


def _plausible(match: re.Match[str] | None) -> bool:
    return match is not None and not {match[1].lower(), match[2].lower()} & _NO_NAME


def _last_resort(text: str) -> re.Match[str] | None:
    """When a name was asked for, two words beside a postcode are one, however they are written."""
    words = [word for word in re.findall(r"[^\W\d_][\w'-]*", text) if word.lower() not in _NO_NAME]
    return re.search(rf"({re.escape(words[0])})\W+({re.escape(words[1])})", text) if len(words) == 2 else None


def read_orders(text: str, orders: Sequence[Order]) -> tuple[list[str], list[str]]:
    """Return the own orders that a message names, and what looks like an order's number but is none of them."""
    own: list[str] = []
    strange: list[str] = []
    by_bare = {bare(order.order_id): order.order_id for order in orders}
    by_digits = {re.sub(r"\D", "", order.order_id): order.order_id for order in orders}
    for match in _ORDER.finditer(text):
        said = next(group for group in match.groups() if group)
        order_id = by_bare.get(bare(said)) or (by_digits.get(bare(said)) if said.isdigit() else None)
        if order_id is None:
            strange.append(said)
        elif order_id not in own:
            own.append(order_id)
    return own, strange


def read_methods(text: str, methods: Iterable[PaymentMethod], order: Order | None = None) -> list[PaymentMethod]:
    """Return the payment methods that a message may mean; one when it is clear."""
    own = list(methods)
    exact = [
        method
        for method in own
        if method.method_id in text or ((digits := re.findall(r"\d{4}", method.label)) and digits[-1] in text)
    ]
    if exact:
        return exact[:1]
    if (
        re.search(r"(?i)\b(?:original|same (?:payment|card|method|way)|i paid with|(?:it|that) was paid)\b", text)
        and order
    ):
        return [method for method in own if method.method_id == order.paid_with]
    if re.search(r"(?i)\bother (?:payment|card|credit card|method|one)\b", text) and order:
        rest = [method for method in own if method.method_id != order.paid_with]
        return [m for m in rest if m.kind == "credit_card"] or rest if "card" in text.lower() else rest
    brand = next((name for name, pattern in _BRANDS.items() if re.search(rf"(?i)\b(?:{pattern})\b", text)), None)
    if brand is not None:
        return [method for method in own if brand in method.label.lower()]
    for kind in kinds_named(text):
        if found := [method for method in own if method.kind == kind]:
            return found
    return []


def kinds_named(text: str) -> list[str]:
    """Return the kinds of payment that a message names, the first first; refused ones ("not the card") left out."""
    places = sorted(
        (match.start(), kind)
        for kind, pattern in _KINDS.items()
        for match in pattern.finditer(text)
        if not re.search(
            r"(?i)\b(?:not|instead of|from|rather than)\s+(?:to\s+)?(?:my|the|a|on)?\s*$", text[: match.start()]
        )
    )
    return list(dict.fromkeys(kind for _, kind in places))


def read_reason(text: str, reasons: Sequence[str]) -> str | None:
    """Return the acceptable reason that a message gives."""
    low = text.lower()
    for reason in reasons:
        if reason in low:
            return reason
    if re.search(r"\bmistake|accident|wrong order|didn'?t mean", low):
        return next((reason for reason in reasons if "mistake" in reason), None)
    if re.search(
        r"no longer (?:need|want|requir|useful|wanted)|(?:don'?t|do not|not|isn'?t|aren'?t) (?:need|want|requir)(?:ed)?\b.{0,30}(?:any ?more|now)?|changed my mind|no (?:need|use)\b|unneeded|unwanted",
        low,
    ):
        return next((reason for reason in reasons if "no longer" in reason), None)
    return None


def read_address(text: str, like: Address) -> Address | None:
    """Return an address that is written out; `like` fills in the country. A missing region comes back empty."""
    match = _STREET.search(text)
    if match is None:
        return None
    line1, line2, city, region, postcode, country = (part.strip() if part else "" for part in match.groups())
    line1 = re.sub(r"(?i)^.*\b(?:to|is|at|be)\s+(?=\d)", "", line1)
    region = _STATES.get(region.lower().replace(" ", "_"), region.upper() if len(region) == 2 else region)
    return Address(line1, line2, city.title() if city.islower() else city, region, postcode, country or like.country)


_LINE = re.compile(
    r"(?i)\b(\d+[a-z]?\s+(?:[\w'-]+\s+){1,3}?(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|terrace|highway|hwy|parkway)\b\.?)"
)
_UNIT = re.compile(
    r"(?i)\b((?:suite|apt\.?|apartment|unit|floor)\s*#?\s*(?=[\w-]*\d)[\w-]+|(?:apt\.?|apartment)\s+[a-z]\b)"
)
_HOUSE = re.compile(
    r"(?i)\b(?:number|no\.?|house number)(?: is| should be)?\s*(\d+[a-z]?)\b|^\W*(?:no\W+|sorry\W+|i mean\w*\W+)*(\d+[a-z]?),? not (\d+[a-z]?)\b"
)
_ZIP = re.compile(r"\b(\d{5})\b")


def read_address_parts(text: str, before: Mapping[str, str]) -> dict[str, str]:
    """Return what a correction changes of an address: a street with its number, a flat, a house's number, a postcode."""
    found: dict[str, str] = {}
    if "?" in text or re.search(r"(?i)\border\b", text):  # 48213 is an order's number then
        return found
    if line := _LINE.search(text):
        found["line1"] = line[1]
    elif (house := _HOUSE.search(text)) and before.get("line1"):
        number = house[1] or house[2]
        found["line1"] = re.sub(r"^\d+[a-z]?", number, before["line1"], flags=re.IGNORECASE)
    if unit := _UNIT.search(text):
        found["line2"] = unit[1]
    if postcode := _ZIP.search(text):
        found["postcode"] = postcode[1]
    return {name: value for name, value in found.items() if before.get(name) != value}


def region_of(text: str) -> str:
    """Return a state that is named by its name or its two letters."""
    low = text.strip(" .!").lower()
    for name, short in _STATES.items():
        if re.search(rf"\b{name.replace('_', ' ')}\b", low):
            return short
    match = re.search(r"\b([A-Z]{2})\b", text)
    return match[1] if match and match[1] in _STATES.values() else ""


def known_addresses(customer: Customer, orders: Sequence[Order]) -> list[tuple[Address, str]]:
    """Return the addresses that the customer uses, each once, with where it stands: "account" or an order's number."""
    found: dict[Address, str] = {customer.address: "account"}
    for order in orders:
        found.setdefault(order.address, order.order_id)
    return list(found.items())


def match_address(text: str, known: Sequence[tuple[Address, str]], own: Sequence[str]) -> list[Address]:
    """Return the known addresses that a message may mean: the account's, an order's, or one in a place that is named."""
    low = f" {re.sub(r'[^a-z0-9]+', ' ', text.lower())} "
    for short, city in _CITIES.items():
        low = low.replace(f" {short} ", f" {city} ")
    exact = [address for address, _ in known if f" {address.line1.lower()} " in low]
    if exact:
        return exact
    by_order = [address for address, where in known if where in own]
    placed = [address for address, _ in known if f" {address.city.lower()} " in low]
    placed = placed or [
        a for a, _ in known if (region := region_of(text)) and a.region == region and re.search(rf"\b{region}\b", text)
    ]
    placed = placed or [address for address, _ in known if f" {address.postcode} " in low]
    if placed:
        return placed
    if re.search(
        r"\b(?:default|profile|account|home|user|my usual) (?:address|home|one|house|place)\b|\b(?:in|on) my (?:profile|account)\b",
        low,
    ):
        return [address for address, where in known if where == "account"]
    return by_order
