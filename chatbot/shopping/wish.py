"""What a shopper is looking for: words, and what limits them. A follow-up changes it; it never has to be said again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from chatbot.shopping.amounts import Limits, Size, limits, size
from personalization.currencies import minor_per_major
from personalization.ranking.text import names, ruled_out_by, unwanted, wanted, words
from personalization.types import Money, Product

_POINTING = frozenset(
    words(
        "these those this that them it any one ones kind problem more wait idea thanks thank matter worries need hurry way longer meant mean not really what how only no you know guess sorry human person people such else"
    )
)
OWN_BRAND = "Own brand"
_HAS = re.compile(
    r"\b(vegan|vegetarian|organic|halal|kosher|fair ?trade|decaf(?:feinated)?|whole ?grain|free range|low fat|fat free|sugar free|unsalted|unsweetened|recyclable|local)\b",
    re.IGNORECASE,
)
_CHEAPEST = re.compile(
    r"\b(?:cheapest|lowest first|sort(?:ed)? by price|low to high|lowest price|least expensive|best price)\b",
    re.IGNORECASE,
)
_DEAREST = re.compile(r"\b(?:most expensive|priciest|premium|finest|best quality)\b", re.IGNORECASE)
_BIGGEST = re.compile(r"\b(?:biggest|largest)\b", re.IGNORECASE)
_SMALLEST = re.compile(r"\bsmallest\b", re.IGNORECASE)
_ON_OFFER = re.compile(
    r"\b(?:on (?:sale|offer|special)|reduced|discounted|on promotion|special offers?)\b", re.IGNORECASE
)
_OWN_BRAND = re.compile(r"\b(?:own|store|house|private)[ -](?:brand|label)\b", re.IGNORECASE)
_FILLER = re.compile(
    r"\b(?:(?:instead of|in place of|rather than) (?:the |that |this |those |these )?\w+(?: then)?|hi|hello|hey|please|pls|thanks|actually|also|maybe|instead|rather|kind of|sort of|some kind|a bit|do you (?:sell|carry|have)|have you got"
    r"|(?:i am|i'm|im) (?:looking|searching) for|where (?:can|do) i find|where is|where are|show me|find me|i(?:'d| would) (?:also |really )?(?:like|love)(?: to (?:buy|have|get|see|order))?|search(?: for)?|look(?:ing)? for|i (?:want|need|would like|'d like)"
    r"|for (?:\d+|two|three|four|five|six|eight|ten|twelve) (?:people|persons?|adults|kids|children|guests)|for (?:me|us|tonight|tomorrow|today|later|the weekend)"
    r"|i(?:'d|'ll| would| will)? (?:take|have|buy)|(?:let'?s )?(?:start|begin|go) with|i (?:mean|meant|said|wanted|asked for|was looking for)"
    r"|can i get|could i get|get me|give me|is there|are there|how about|what about|no,? i meant?|i meant?|i said|not that|the cheapest|cheapest|the most expensive|most expensive"
    r"|what(?:'ve| have|'?s)? (?:(?:we|you|y'?all|they) )?got|what(?:'?s| is) there|lemme (?:see|get|have)|let me (?:see|have|get)|gimme|biggest|largest|smallest|premium|on (?:sale|offer|special)|reduced|own[ -]brand|store[ -]brand|you (?:sell|carry|have)|in stock|right now|happen to|each|apiece|a piece|per piece|one|ones|anything|costs?|costing|priced|fine|none|sort(?:ed)? by|lowest|first|you lot|or not|such|advise|recommend|suggest)\b",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """A search in words and limits. Prices are in hundredths of the currency's unit, whatever its digits, ends included; `bigger` and `smaller` are (dimension, value).

    `has` must be told by the product's name or attributes; what `without` names must not.
    """

    query: str = ""
    above: int | None = None
    below: int | None = None
    without: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    brand: str = ""
    not_brands: tuple[str, ...] = ()
    category: str = ""
    size: str = ""
    bigger: tuple[str, float] | None = None
    smaller: tuple[str, float] | None = None
    on_offer: bool = False
    order: str = ""

    @property
    def limited(self) -> bool:
        """Whether anything but words limits the search."""
        return replace(self, query="", order="") != Wish()

    @property
    def text(self) -> str:
        """The question as the core is asked it: the words, and what is ruled out."""
        brand = "" if self.brand in {"", OWN_BRAND} or self.brand.lower() in self.query.lower() else self.brand
        ruled_out = f"without {' and '.join(self.without)}" if self.without else ""
        return " ".join(filter(None, (self.query, brand, ruled_out)))

    def fits(self, product: Product) -> bool:
        """Whether the product is within the limits; what is not known about it does not fit a limit that needs it."""
        price, brand = hundredths(product.price), product.brand.lower()
        if (self.above is not None and price < self.above) or (self.below is not None and price > self.below):
            return False
        if self.on_offer and product.regular_price is None:
            return False
        if self.brand and not _says(f"{product.brand} {product.name}", self.brand):
            return False
        if brand and brand in self.not_brands:
            return False
        if self.category and self.category.lower() not in {product.category.lower(), product.department.lower()}:
            return False
        return self._size_fits(product) and self._harmless(product) and all(has(product, one) for one in self.has)

    def _harmless(self, product: Product) -> bool:
        if not self.without:
            return True
        ruled_out = unwanted(self.text)  # gluten-free bread is bread
        return not names(f"{product.name} {product.category}", ruled_out) and not product.contains & ruled_out

    def _size_fits(self, product: Product) -> bool:
        own = size_of(product)
        if self.size and not _same_size(self.size, product, own):
            return False
        if self.bigger is not None and (own is None or own.dimension != self.bigger[0] or own.value <= self.bigger[1]):
            return False
        return self.smaller is None or (
            own is not None and own.dimension == self.smaller[0] and own.value < self.smaller[1]
        )

    def told(self, currency: str) -> str:
        """Return the limits in a few words: "below $3.00, without nuts"; empty where there are none."""
        parts = []
        if self.above is not None and self.below is not None:
            parts.append(f"{_price(self.above, currency)} to {_price(self.below, currency)}")
        elif self.below is not None:
            parts.append(f"up to {_price(self.below, currency)}")
        elif self.above is not None:
            parts.append(f"from {_price(self.above, currency)}")
        parts += [f"without {' or '.join(self.without)}"] if self.without else []
        parts += list(self.has)
        parts += [f"from {self.brand}"] if self.brand else []
        parts += ["of another brand"] if self.not_brands else []
        parts += [f"in {self.category}"] if self.category else []
        parts += [self.size] if self.size else []
        parts += ["bigger"] if self.bigger else []
        parts += ["smaller"] if self.smaller else []
        parts += ["on offer"] if self.on_offer else []
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return what is not empty, for a slot."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", (), False)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Wish:
        """Return the wish that `as_json` wrote."""
        known = {field.name for field in fields(cls)}
        values: dict[str, Any] = {name: _tupled(value) for name, value in found.items() if name in known}
        return cls(**values)


def hundredths(price: Money) -> int:
    """Return a price in hundredths of its currency's unit, as limits are said: 298 yen are 29,800."""
    return round(price.minor_units * 100 / minor_per_major(price.currency))


def _price(limit: int, currency: str) -> Money:
    return Money(round(limit * minor_per_major(currency) / 100), currency)


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def size_of(product: Product) -> Size | None:
    """Return the product's size, from where it is told."""
    told = next(
        (value for name, value in product.attributes if name.lower() in {"size", "capacity", "weight", "volume"}), ""
    )
    return size(product.package_size) or size(told) or size(product.name)


_NO = frozenset(("no", "false", "none", "n", "0", "n/a", "unsuitable"))
_NOT_SO = re.compile(r"(?:not|no|non|without|un(?:suitable|available)|exclud(?:ed|es)|may not)\b", re.IGNORECASE)


def is_no(value: str) -> bool:
    """Whether an attribute's value denies what its name says: "no", "not included", "unsuitable"."""
    return value.strip().lower() in _NO or _NOT_SO.match(value.strip()) is not None


def denies(product: Product, feature: str) -> bool:
    """Whether the product's name or attributes say that it has not the feature: "Not Vegan Cheese", "unsuitable for vegans"."""
    asked = re.escape(feature.lower()).replace("\\ ", "[ -]").replace("\\-", "[ -]")
    said = " . ".join(
        [product.name, product.category, *(f"{name} {value}" for name, value in product.attributes)]
    ).lower()
    return (
        re.search(
            rf"\b(?:not|non|never|no longer|isn'?t|aren'?t|unsuitable|nor)[ -](?:(?:suitable|safe|certified|for|as|an?|100 ?%|fully|strictly|necessarily|labelled|marked|guaranteed|quite|be|intended|fit|truly|really|to|eaten|by)[ -])*{asked}s?\b"
            rf"|\b{asked}s?(?:[ -](?:option|version|alternative|certified|friendly|suitable))?[ :,-]+(?:is |are )?(?:(?:no|false|none)(?= \. |$)|(?:not |un)(?:included|available|suitable|certified|friendly)\b)",
            said,
        )
        is not None
    )


def has(product: Product, feature: str) -> bool:
    """Whether the product's name, brand or attributes say that it has the feature."""
    told = " ".join(f"{name} {value}" for name, value in product.attributes if not is_no(value))
    return _says(f"{product.name} {product.category} {told}", feature) and not denies(product, feature)


def _says(text: str, asked: str) -> bool:
    return bool(found := set(words(asked))) and found <= set(words(text))


def _same_size(asked: str, product: Product, own: Size | None) -> bool:
    wanted_size = size(asked)
    if wanted_size is not None:
        return wanted_size.matches(own)
    return asked.lower() in {value.lower() for _, value in product.attributes} | {product.package_size.lower()}


_LEFT_OUT = (  # what goods are said to be without, in front of their name: "no salt crackers"
    r"(?:added |artificial |refined )?(?:salt|sugars?|nuts?|peanuts?|dairy|lactose|gluten|wheat|eggs?|fat|milk|soya?|alcohol|caffeine|meat|pork|beef|chicken|yeast|cholesterol|carbs?|sodium|palm oil|additives?|preservatives?|sweeteners?|colou?rs|flavou?rs|msg|gelatine?"
    r"|honey|fish|shellfish|sesame|corn|onions?|garlic|pulp|seeds?|bones?|bpa|fragrance|scent|perfume|bleach)"
)
_NO_FRONT = re.compile(
    rf"^(?P<before>.*?)\b(?:no|without)[ -](?P<what>{_LEFT_OUT}(?:(?:,|,? or|,? and) (?:no )?{_LEFT_OUT})*)(?: added)? (?!(?:and|or|nor|in|it|please|pls|for|i|he|she|they|we|at|is|are|to|thanks?|thank|this|that|any|on|of|if|because|either|allowed|ok|okay|all|but|so|what|can|do|with|under|over|though|then|from)\b|butter\b|oil\b|sauce\b|snaps?\b|plants?\b|rolls?\b)"
    r"(?P<goods>[a-z].*)$",
    re.IGNORECASE,
)
_NO_THING = r"(?!(?:the |a |any |these |those )?(?:first|second|third|fourth|fifth|last|one|ones|other|others|number|this|that|these|those|them|it|what|i|you|we|me|too|so|very|really|only|just|yet|sure|in|from|at|on|to|be|have|has|sell|carry|stock|find|see|know|want|need|like|eat|get|work|working|available|sold|much|more|less|expensive|cheap|over|under|above|below|necessarily|anymore|now|today|possible|allowed|again|if|tho|though|really|like|\w+ly|\d+)\b)"
_EXCEPT = re.compile(
    rf"(?P<any>\b(?:anything|everything|something|whatever|any(?: \w+)?|all(?: \w+)?|every \w+)),? but (?:not |for )?{_NO_THING}(?:the |an? )?(?P<but>[a-z])"
    rf"|,?\s*\b(?:(?:but |and |just )?(?:except(?:ing)?(?: for)?|excluding|other than|apart from|besides|aside from)|(?:but|and|just|only|,)\s*(?:just )?(?:not|nothing|no)|that(?:'s| is| are|'re)? (?:not|n't)|that (?:isn'?t|aren'?t)|which (?:is not|isn'?t|are not)) {_NO_THING}(?:the |an? |any )?(?P<except>[a-z])"
    rf"|(?<=\w)(?<!why) not {_NO_THING}(?:the |an? )?(?P<not>[a-z])(?=[a-z-]*(?: [a-z-]+)?\W*$)",
    re.IGNORECASE,
)


def excepting(text: str) -> str:
    """Return a text that says what it leaves out by "without": of "milk, not oat", "anything but wine", "no salt crackers"."""
    text = text.replace("’", "'")
    front = _NO_FRONT.match(text)
    if front is not None and not core_words(front["before"]):
        return f"{front['before']}{front['goods']} without {front['what']}".strip()
    match = _EXCEPT.search(text)
    if match is None or not (core_words(text[: match.start()]) or match["any"] or _ANY.search(text[: match.start()])):
        return text
    at = match.start("but") if match["but"] else match.start("except") if match["except"] else match.start("not")
    asked = _ANY.sub(" ", f"{text[: match.start()]} {match['any'] or ''}")
    return " ".join(f"{asked} without {_ONE.sub('', text[at:])}".split())


_ONE = re.compile(r"(?<=\w) ones?\b")
_ANY = re.compile(r"\b(?:anything|everything|something|whatever|any|all|every)\b", re.IGNORECASE)


def limits_in(text: str) -> tuple[Wish, str]:
    """Return a wish without words from what the text limits, and the text without its price range."""
    text = excepting(text)
    found: Limits = limits(text)
    order = next(
        (name for name, rule in (("cheapest", _CHEAPEST), ("dearest", _DEAREST), ("biggest", _BIGGEST), ("smallest", _SMALLEST)) if rule.search(text)), ""
    )  # fmt: skip
    left_out = ruled_out_by(found.rest)
    if (first := _NOT_FIRST.match(found.rest)) is not None and first["what"].lower() not in left_out:
        left_out = [first["what"].lower(), *left_out]
    said = dict.fromkeys(match.lower() for match in _HAS.findall(text))
    features = tuple(one for one in said if not any(set(words(one)) <= set(words(other)) for other in left_out))
    free = {word.removesuffix(" free") for word in said if word.endswith(" free")}
    without = tuple(
        one
        for one in left_out
        if one and one not in free and not set(words(one)) <= _POINTING and not _NO_EXCEPTION.match(one)
    )
    wish = Wish(
        above=found.above, below=found.below, without=without, has=features, on_offer=bool(_ON_OFFER.search(text)),
        brand=OWN_BRAND if _OWN_BRAND.search(text) else "", order=order,
    )  # fmt: skip
    return wish, found.rest


_NO_EXCEPTION = re.compile(  # "no scratch that", "no like the honey ones": a no, and then something else
    r"(?:scratch|scrap|forget|wait|like|actually|make|i|we|it|its|this|thats?|not|the|just|show|give|get|try|maybe|sorry|please|thats|there|they|you)\b"
)
_RULES_OUT = re.compile(
    r"\bwithout\b|\bleav(?:e|ing) out\b|\bnothing with\b|\ballerg(?:y|ic|ies)\b|\bintoleran(?:t|ce)\b|\b\w+[ -]free\b|\b(?:hates?|dislikes?|detests?)\b|\b(?:can'?t|doesn'?t|don'?t) (?:eat|drink|like|stand)\b",
    re.IGNORECASE,
)


_NOT_FIRST = re.compile(  # "not soy, it wrecks my stomach", of what is shown
    r"^\W*(?:(?:but|and|just|please|no|ok(?:ay)?)\W+)*not (?:any |from )?(?P<what>(?!(?:sure|really|bad|yet|now|this|that|it|these|those|them|good|ok|okay|nice|cheap|today|tomorrow|too|so|very|quite|the|a|an|my|for|in|at|to|what|much|many|enough|as|like|even|only|just|all|necessarily|right|working|happy|interested|again|here|one|true|fair|funny|helpful|your?|me|another|anymore|always|exactly|your|if|until|because|since|about|with|from|going|looking|able|needed|necessary|first|second|third|number)\b)[a-z]{3,})(?=\s*(?:[,.;!]|$))",
    re.IGNORECASE,
)


def rules_out(text: str) -> bool:
    """Whether a message names what a product must not contain."""
    told = _RULES_OUT.search(text) is not None or _NOT_FIRST.match(text) is not None
    return told and bool(limits_in(text)[0].without or limits_in(text)[0].has)


def core_words(text: str) -> str:
    """Return what a text asks for, in its own words without the phrases around them: "oat milk" of "do you have oat milk?"."""
    bare = _FILLER.sub(" ", wanted(text).replace("’", "'"))
    kept = [word for word in re.findall(r"[\w&'%./-]+", bare) if words(word)]
    return " ".join(kept)


_SENTENCE = re.compile(r"[.!?;]+\s+|\n+")
_WISHING = re.compile(
    r"\b(?:(?:start|begin|go) with|(?:i|we|they|he|she|kids?|guests?)(?:'d| would| should| also| really)* (?:need|want|like)(?! to (?:make|cook|bake|prepare|have|host))|looking for|show (?:me|us)|find (?:me|us)|do you (?:have|sell|carry)|have you got|got any)\b",
    re.IGNORECASE,
)
_LEADS_UP = re.compile(
    r"^.{12,}?(?:,|\b(?:and|so|because|since|but)\b)\s*(?:and |so |now |then )*(?=(?:(?:i|we)(?:'d| would| should| also| really)* (?:need|want|like)|do you (?:have|sell|carry|stock|do)|have you|show (?:me|us)|(?:what|which) \w+ (?:have you|do you|are there|you))\b)",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:her|him|it|them|that|those|these|this)\b(?!\s+(?:is|are)\b)|\bof (?:the|that) (?:sort|kind)\b", re.IGNORECASE
)
_FOR_WHOM = re.compile(
    r"\b(?:dogs?|puppy|cats?|kitten|pets?|bird|bab(?:y|ies)|newborn|toddler|diet|low \w+|diabetic|vegan|vegetarian|sugar|salt|out of|short of|ran out|running low)\b",
    re.IGNORECASE,
)
_TELLS_OF = re.compile(
    r"\b(?:i|i'm|i've|im|we|we've|we're|he|she|they|my|our|is|are|was|were|it's|there|having|cooking|making)\b",
    re.IGNORECASE,
)
_AT_SOME_TIME = re.compile(
    r"\b(?:before|during|after)\s+(?:the |my |our |a |an )?(?:school|work|bed(?:time)?|dinner|lunch|breakfast|sports?|training|gym|game|match|party|trip|holidays?|weekend|class)\b",
    re.IGNORECASE,
)


_ANEW = re.compile(
    r"^.*\b(?:(?:no,? )?(?:scratch|scrap|strike) that|no wait|wait no|i meant? to say)\b[,.!: ]*(?=\w)",
    re.IGNORECASE | re.DOTALL,
)


def main_clause(text: str) -> str:
    """Return a text from the sentence on that says what is wanted: what leads up to it names other things, too."""
    text = anew if core_words(anew := _ANEW.sub("", text)) else text
    every = [one for one in _SENTENCE.split(text) if one.strip()]
    sentences = [one for one in every if core_words(one)]
    asking = [at for at, one in enumerate(sentences) if _WISHING.search(one)]
    if not asking and text.rstrip().endswith("?") and every[-1] in sentences[-1:]:
        asking = [len(sentences) - 1]
    if asking and asking[0] > 0 and not _POINTS_BACK.search(sentences[asking[0]]):
        return ". ".join(sentences[asking[0] :])
    led = _LEADS_UP.match(text)
    tells = led is not None and _TELLS_OF.search(led.group()) and not _WISHING.search(led.group())
    back = led is not None and (
        _POINTS_BACK.search(text, led.end()) or _FOR_WHOM.search(led.group())
    )  # "my cat is sick and I need soft food for her"
    return text[led.end() :] if led is not None and tells and not back else text


_ASKING = re.compile(
    r"\?|\b(?:can|could|is|are|do|does|what|which|where|when|how|who|any|some|need|want|like|show|find|help)\b",
    re.IGNORECASE,
)
MOST_NAMING = 5


def only_tells(text: str) -> bool:
    """Whether a text is a longer statement that neither asks nor wants: that it names goods says nothing."""
    return len(text.split()) > MOST_NAMING and not _ASKING.search(text) and not _WISHING.search(text)


_CUT = re.compile(
    r"[,.;!?]|\b(?:or|because|since|but|though|that (?:goes?|helps?|is|are|can|does|do|would)|to go with|which|my|i (?:am|have|want|need|like)|i'm)\b",
    re.IGNORECASE,
)
_FOR = re.compile(r"(?<!looking)(?<!look)(?<!searching)(?<!search)(?<!asking)\s+for\s+", re.IGNORECASE)


def heads(text: str) -> list[str]:
    """Return the beginnings of a text that may name the product alone, longest first: "wine" of "a wine for fish"."""
    said = _FILLER.sub(" ", text.replace("’", "'"))
    first = next((part for part in _CUT.split(said) if core_words(part)), "")
    found = [core_words(first), core_words(_FOR.split(first)[0])]
    whole = core_words(text)
    return [one for one in dict.fromkeys(found) if one and one != whole]


def searched(text: str, entities: Sequence[tuple[str, str]] = ()) -> Wish:
    """Return what a first question asks for; `entities` are (kind, value) pairs found in it."""
    wish, rest = limits_in(text)
    rest = main_clause(rest)
    query = core_words(_AT_SOME_TIME.sub(" ", rest)) or core_words(rest)
    for feature in wish.has:
        query = re.sub(rf"\b{re.escape(feature)}\b", " ", query, flags=re.IGNORECASE)
    query = " ".join(query.split())
    wish = replace(wish, without=_beside(query, wish.without))
    left_out = {word for one in wish.without for word in words(one)}
    named = {kind: value for kind, value in entities if not left_out or not set(words(value)) <= left_out}
    if not query and wish.has:  # "have you got decaf"
        query = wish.has[0]
    if not query:
        query = named.get("product") or named.get("category") or ""
    return replace(wish, query=query, brand=wish.brand or named.get("brand", ""))


def _beside(query: str, without: Sequence[str]) -> tuple[str, ...]:
    """Return what is left out but for the words that are asked for: "milk, not oat milk" leaves out oat."""
    asked = set(words(query))
    kept = []
    for one in without:
        own = [word for word in one.split() if not asked & set(words(word))]
        kept.append(" ".join(own) if own and words(" ".join(own)) else one)
    return tuple(dict.fromkeys(kept))
