"""From a message to wishes: which change, of what, with which details."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chatbot.orders.entities import kinds_named, read_orders
from chatbot.orders.mentions import mentions
from chatbot.orders.state import Job, Todo
from chatbot.orders.text import tokens
from chatbot.orders.world import World

_VERBS = {
    "address": r"(?:chang|updat|modif|correct|switch|fix|edit)\w*\b(?:(?!\bcancel|\breturn|\bexchange)[^.;!?]){0,70}?\baddress(?:es)?\b"
    r"|\b(?:address(?:es)?)\b[^.;!?]{0,40}\b(?:wrong|changed?|updated?|corrected?|different)\b"
    r"|\b(?:ship|send|sent|deliver|shipped|delivered|redirect|reroute)\b(?! back)[^.;!?,]{0,40}\b(?:to|at)\b (?=my |the |our |another |a different |\d)[^.;!?]{0,30}(?:address|home|house|place|\d+ \w+)"
    r"|\b(?:ship|send|sent|deliver|shipp?ed|delivered|redirect|reroute|go|bring)\b(?! back)[^.;!?]{0,50}\b(?:somewhere else|elsewhere|(?:an)?other (?:address|place|location|house|town|city|street)|(?:a )?(?:different|new) (?:address|place|location|house|town|city|street))\b",
    "payment": r"(?:chang|updat|modif|switch)\w*\b(?:(?!\baddress|\bexchange)[^.;!?]){0,40}?\b(?:payment(?: method)?|way i pay|how i pay)\b"
    r"|\bpay\w*\b[^.;!?]{0,40}\binstead\b|\bsplit\b[^.;!?]{0,25}\bpayment",
    "undo": r"\b(?:undo|un-?cancel|reinstate|reactivate|restore|revert)\w*\b",
    "cancel": r"\b(?:cancel(?!l?ed)\w*|call off)\b|\b(?:be|get|have|gets?|want|\w+ order|it) cancell?ed\b|\bremove\b|\bdelete\b",
    "return": r"\b(?:return(?!ed)\w*|send(?:ing)?\b[^.;!?,]{0,40}\bback|give\b[^.;!?,]{0,30}\bback|(?:get|want|need|have|like) (?:a |my |the )?(?:full )?refund\b|refund (?=me|the|my|this|these|it)|money back\b)\b",
    "swap": r"\b(?:exchang\w*|swap\w*|replac\w*|trade|upgrad\w*|chang(?:e|ing)(?! (?:my|your|his) mind)|modify\w*|modification|switch(?:ing)?(?! ?type| ?es)|adjust\w*|turn)\b",
}
_PATTERN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _VERBS.items()), re.IGNORECASE)
_NEVER = re.compile(
    r"(?i)\b(?:don'?t|do not|not|never|without|no need to|didn'?t|cannot|can'?t|unable to|won'?t|rather than|instead of|policy|before|after|if)\s+(?:\w+\s+){0,2}$"
)
_POLICY_ONLY = re.compile(
    r"(?i)\b(?:what is|what's|tell me|explain)\b.{0,20}\b(?:return|refund|exchange|cancell?ation) policy\b"
)
_SENTENCE = re.compile(r"(?<=[.!?;\n])\s+")
_ALL = re.compile(
    r"(?i)\b(?:all (?:of )?(?:my |the |these |those |our )?(?:\w+ ){0,2}?(?:orders?|items?|things?|products?|order addresses)|everything|all of (?:it|them)|whole order|entire order|the lot|(?:every|each) (?:item|order|thing))\b"
)
_EXCEPT = re.compile(
    r"(?i)\b(?:except(?: for)?|but not|besides|apart from|other than|not including|excluding|but (?:keep|leave)|and keep|keep(?:ing)?)\b"
)
_BECOMES = re.compile(r"(?i)\s(?:to|for|into|with)\s(?!me\b|you\b)")
_MANY = re.compile(r"(?i)\b(?:two|both|all|every|each|three|2|3)\b[^,.;]{0,25}$")
_ACCOUNT = re.compile(
    r"(?i)\b(?:(?:user|default|account|profile)(?:'s)?(?: \w+)? address|address (?:of|on|in) (?:my|the) (?:account|profile)|address on file|my default)\b"
)
_ORDERS = re.compile(r"(?i)\border|#|pending|ship|deliver|sent\b")


_STATUS = re.compile(
    r"(?i)\b(?:status|track(?:ing)?|where(?:'s| is| are)|when (?:is|will|does)|arriv\w+|shipped|delivered|on its way|problem|issue|trouble|question|help|late|missing)\b"
)
_AN_ORDER = re.compile(
    r"(?i)\b(?:my|the|that|this|an|last|latest|whole|entire)\s+(?:\w+\s+){0,2}(?:orders?|parcels?|packages?|purchases?)\b|\border (?:status|number|tracking)\b"
)
_AS_IT_SHOULD_BE = re.compile(r"(?i)(?<=\w)\s+(?:in|as|but in|only in)\s+(?!my\b|the\b|order\b|stock\b|#)")
_HOLDING = re.compile(
    r"(?i)\b(?:order|one|purchase|parcel)s?\s+(?:with|containing|that (?:has|contains|had|included)|which has|having|for|of)\s+(?:the|my|a|an|some)?\s*(?:\w+\s+){0,2}$"
)


_PAYS = re.compile(
    r"(?i)gift ?-?card|\bGC\b|pay ?pal|\bcard\b|\bvisa\b|master ?card|\bamex\b|american express|original (?:payment|method)"
)


def read_wishes(text: str, world: World) -> list[Job]:
    """Return what a message wants changed, in its order."""
    return _paid([job for name, clause in _clauses(text) for job in _jobs(name, clause, world)], text)


def wishes_as(kind: str, text: str, world: World) -> list[Job]:
    """Return what a message wants changed that was understood as this kind of wish, though no word of it says so."""
    if kind == "account":
        return [Job("account", text=text)]
    told = _AS_IT_SHOULD_BE.sub(" to ", text) if kind == "swap" else text  # "I'd rather have the lamp in red"
    return _paid(
        list(_jobs(kind, told, world)) or [Job(kind, text=text, named=read_orders(text, world.orders)[0])], text
    )


def _paid(jobs: list[Job], text: str) -> list[Job]:
    alone = len(kinds_named(text)) < 2  # else it is not clear which payment a wish without its own means
    for job in jobs:
        job.pay = job.text if _PAYS.search(job.text) else text if alone and _PAYS.search(text) else ""
    return jobs


def speaks_of_orders(text: str) -> bool:
    """Whether a message holds a wish that the order service could carry out, if not of what."""
    return "basket" not in text.lower() and any(True for _ in _clauses(text))


def kind_of_wish(text: str) -> str:
    """Return the kind of the first wish about orders in a message; "status" where one only asks, "" without any."""
    return next((kind for kind, _ in _clauses(text)), "status" if _STATUS.search(text) else "")


def names_order(text: str) -> str:
    """Return how a message names an order: by its "number", by the "word", or not at all ("")."""
    if read_orders(text, ())[1]:
        return "number"
    return "word" if _AN_ORDER.search(text) else ""


def _clauses(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind of wish, its words): a sentence is cut before each verb that starts another wish."""
    found: list[list[str]] = []
    for sentence in _SENTENCE.split(text):
        if _POLICY_ONLY.search(sentence):
            continue
        verbs = [match for match in _PATTERN.finditer(sentence) if not _NEVER.search(sentence[: match.start()])]
        if not verbs:
            if found and not re.match(
                r"(?i)\s*(?:what|how|which|when|where|can you tell|could you tell|is there|do you)\b", sentence
            ):
                found[-1][1] += " " + sentence
            continue
        for i, match in enumerate(verbs):
            start = 0 if i == 0 else match.start()
            end = verbs[i + 1].start() if i + 1 < len(verbs) else len(sentence)
            kind = str(match.lastgroup)
            clause = sentence[start:end]
            if (
                i
                and re.fullmatch(
                    r"(?is)\W*(?:\w+\W+)?(?:or|and|/)\W*(?:to\W*)?", sentence[verbs[i - 1].end() : match.start()]
                )
                and found
            ):
                if not _ALL.search(clause):  # "exchange or return it": the first, and the other when that cannot be
                    found[-1][1] += clause
                    continue
                found[-1][1] = clause
            found.append([kind, clause])
    yield from ((kind, clause) for kind, clause in found)


def _jobs(kind: str, clause: str, world: World) -> Iterator[Job]:
    named, strange = read_orders(clause, world.orders)
    if kind == "undo":
        yield Job("undo", text=clause, named=named)
        return
    if kind in {"address", "payment"}:
        for job in _order_jobs(kind, clause, named, world):
            job.strange = strange[0] if strange and not named and job.wish != "account" else ""
            yield job
        return
    yield from _item_job(kind, clause, named, world, strange[0] if strange else "")


def _order_jobs(kind: str, clause: str, named: list[str], world: World) -> Iterator[Job]:
    """Return wishes about whole orders, and about the address of the account."""
    words = tokens(clause)
    holding = [product_id for mention in mentions(words, world.products) for product_id in mention.product_ids]
    if kind == "payment":
        yield Job("payment", text=clause, named=named, holding=holding)
        return
    every = bool(re.search(r"(?i)\ball\b[^.;]{0,30}\border|\borders\b|order addresses", clause))
    account = bool(_ACCOUNT.search(clause))
    from_account = account and re.search(
        r"(?i)\b(?:to|with) (?:be )?(?:my|the) (?:\w+ )?(?:default|account|profile|user)", clause
    )
    speaks_of_orders = bool(_ORDERS.search(clause))
    if speaks_of_orders or from_account or not account:
        yield Job("address", text=clause, named=named[:1], every=every and not named, holding=holding)
    if account and not from_account:
        yield Job("account", text=clause)


def _item_job(kind: str, clause: str, named: list[str], world: World, strange: str) -> Iterator[Job]:
    words = tokens(clause)
    found = mentions(words, world.products)
    everything = _ALL.search(clause)
    todo: list[Todo] = []
    rest = _EXCEPT.search(clause)
    ids = re.findall(r"\b\d{8,}\b", clause)
    holding: list[str] = []
    previous_end = 0
    for at, mention in enumerate(found):
        start, end = words[mention.first].start, words[mention.last].end
        until = words[found[at + 1].first].start if at + 1 < len(found) else len(clause)
        if everything and rest and start > rest.start():
            continue
        if _HOLDING.search(clause[:start]) and (everything or kind == "cancel"):
            holding += sorted(mention.product_ids)
            continue
        if kind == "swap" and todo and _is_target(clause, previous_end, start, todo[-1], mention.product_ids):
            todo[-1].new += clause[start:until]
            previous_end = end
            continue
        same = next((one for one in todo if set(one.product_ids) == mention.product_ids), None)
        if same is not None and not _another(clause[previous_end:start], clause[end:until], mention.product_ids, world):
            same.new += (" " + clause[start:until]) if kind == "swap" else ""
            previous_end = end
            continue
        before = clause[previous_end:start]
        before = re.split(r"(?i)[,;]|\band\b|\bor\b", before)[-1]
        after = clause[end:until]
        old, new = (after, "") if kind != "swap" else _turn(after)
        if kind == "swap" and not new and re.search(r"(?i)^\s*(?:is|are|should|,?\s*(?:but|same|a |one))", old):
            old, new = "", old
        todo.append(
            Todo(sorted(mention.product_ids), f"{before} {clause[start:end]} {old}", new, bool(_MANY.search(before)))
        )
        previous_end = end
    if (
        kind == "swap"
        and not todo
        and not everything
        and not named
        and not ids
        and not strange
        and not re.search(r"(?i)\b(?:items?|order|something|one|it)\b", clause)
    ):
        return
    keep = _kept(clause[rest.end() :], world) if everything and rest else []
    unknown = strange if not named and not holding and (kind == "cancel" or not todo) else ""
    yield Job(
        kind,
        text=clause,
        todo=todo + keep,
        named=named,
        strange=unknown,
        holding=holding,
        whole=bool(holding),
        every=bool(everything) and (not todo or bool(rest)),
    )


def _another(between: str, after: str, product_ids: frozenset[str], world: World) -> bool:
    """Whether a product that is named again is a second piece, and not the same one once more."""
    if re.search(r"(?i)\b(?:another|other|second)\b", between):
        return True
    pieces = [sum(item.product_id in product_ids for item in order.items) for order in world.orders]
    return (
        max(pieces, default=0) > 1 and bool(_BECOMES.search(f" {after}")) and bool(re.search(r"(?i)\band\b", between))
    )


def _kept(text: str, world: World) -> list[Todo]:
    """Return what is to stay, marked by the word "keep"."""
    return [Todo(sorted(mention.product_ids), "keep", text) for mention in mentions(tokens(text), world.products)]


def _is_target(clause: str, end: int, start: int, before: Todo, product_ids: frozenset[str]) -> bool:
    """Whether a product is named as what another is to become: "my jacket for a red jacket", "a coat"."""
    between = clause[end:start]
    return bool(_BECOMES.search(f" {between} ") and not re.search(r"(?i)\band\b|\balso\b", between)) and (
        bool(set(before.product_ids) & product_ids) or not before.new.strip()
    )


def _turn(after: str) -> tuple[str, str]:
    """Cut the words after a product's name where they begin to tell of the new kind."""
    match = _BECOMES.search(after)
    if match is None:
        return (after, "")
    return after[: match.start()], after[match.end() :]
