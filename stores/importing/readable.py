"""Readable names: products out of a till's abbreviations, and synthetic names for households that have none."""

from __future__ import annotations

import re
from itertools import groupby

_WORDS = {
    "DRUG": "health, beauty and home", "GM": "", "BN": "beans", "CRYSTL": "crystal", "MX": "mix", "PNT": "peanut", "WORCHESTER": "worcester", "PCKGD": "packaged", "ENTREE": "meal", "ENTREES": "meals", "MLK": "milk", "CHP": "chips", "CKY": "cookies", "CKIES": "cookies", "PROD": "products", "PRODS": "products",
    "FRZN": "frozen", "FRZ": "frozen", "CHS": "cheese", "CHIX": "chicken", "CHKN": "chicken", "BF": "beef", "VEG": "vegetables",
    "VEGTBL": "vegetable", "VEGS": "vegetables", "FRT": "fruit", "DRNK": "drink", "DRNKS": "drinks", "BTL": "bottle",
    "SFT": "soft", "BEV": "beverages", "BVRG": "beverage", "CAN": "can", "CKD": "cooked", "WHT": "white", "WHL": "whole", "GRHM": "graham",
    "CRM": "cream", "SNDWCH": "sandwich", "SNKS": "snacks", "SNK": "snack", "BKD": "baked", "BKRY": "bakery", "DSRT": "dessert", "DNR": "dinner",
    "DNRS": "dinners", "PKG": "packaged", "PKGD": "packaged", "PREM": "premium", "REG": "regular", "REFRGRATD": "chilled",
    "REFRIG": "chilled", "REFRGD": "chilled", "RFRGD": "chilled", "MKT": "market", "SS": "single serve", "TOM": "tomato", "DRSNG": "dressing",
    "CONV": "convenience", "ORGNC": "organic", "ORG": "organic", "ASST": "assorted", "ASSTD": "assorted", "CHOC": "chocolate", "CNDY": "candy", "NUT": "nut",
    "LF": "low fat", "FF": "fat free", "NF": "non-fat", "LT": "light", "ISO": "isotonic", "MLTI": "multi", "MLT": "multi", "PK": "pack", "FLVR": "flavour",
    "FLAV": "flavour", "PNUT": "peanut", "BTR": "butter", "MRGRN": "margarine", "SHRT": "short", "SLCD": "sliced", "SLD": "salad", "SLDS": "salads", "GRND": "ground", "BRKFST": "breakfast",
    "BKFST": "breakfast", "SAUS": "sausage", "SAU": "sausage", "LUNCHMT": "lunch meat", "LNCHMT": "lunch meat", "PAPR": "paper", "TWLS": "towels", "DTRGNT": "detergent", "MDSE": "goods", "MISC": "other",
    "W/": "with", "W/O": "without", "N": "and", "&": "and", "HSHLD": "household", "SEAS": "seasonal", "ADLT": "adult", "INFNT": "infant", "LQD": "liquid", "PWDR": "powder", "CRKR": "cracker",
    "CRKRS": "crackers", "JCE": "juice", "JC": "juice", "YGRT": "yogurt", "EXCL": "except", "SW": "sweet", "SWT": "sweet", "GDS": "goods", "POT": "potato",
    "BNLS": "boneless", "BRST": "breast", "BLS": "boneless", "SKNLS": "skinless", "FRSH": "fresh", "VAL": "value", "PRTZL": "pretzel", "TORT": "tortilla", "CVR": "cover", "TRKY": "turkey",
}  # fmt: skip
_UNITS = {"OZ": "oz", "LB": "lb", "CT": "ct", "GA": "gal", "GAL": "gal", "PT": "pt", "QT": "qt", "LTR": "l", "L": "l", "ML": "ml", "PK": "pack", "IN": "in", "FT": "ft", "SQ": "sq", "DZ": "dozen", "DOZ": "dozen"}  # fmt: skip

FIRST = [
    "Maya",
    "Noah",
    "Lina",
    "Elias",
    "Amara",
    "Theo",
    "Ines",
    "Malik",
    "Freya",
    "Jonas",
    "Leila",
    "Oscar",
    "Priya",
    "Samuel",
    "Yuki",
    "Hugo",
    "Nadia",
    "Felix",
    "Zara",
    "Anton",
    "Mina",
    "Victor",
    "Aisha",
    "Leo",
    "Clara",
    "Omar",
    "Elsa",
    "Rafael",
    "Thea",
    "Idris",
    "Marta",
    "Kofi",
    "Alma",
    "Dario",
    "Selma",
    "Tariq",
    "Ella",
    "Mateo",
    "Juna",
    "Arun",
    "Vera",
    "Emil",
    "Salma",
    "Luca",
    "Ida",
    "Karim",
    "Nora",
    "Pablo",
    "Hana",
    "Simon",
    "Esra",
    "Milan",
    "Ruth",
    "Jasper",
    "Anika",
    "Bruno",
    "Dalia",
    "Erik",
    "Flora",
    "Gabriel",
]
LAST = [
    "Lindqvist",
    "Okafor",
    "Moreau",
    "Tanaka",
    "Rossi",
    "Haddad",
    "Novak",
    "Silva",
    "Berg",
    "Kaya",
    "Dubois",
    "Mensah",
    "Fischer",
    "Ortega",
    "Nakamura",
    "Petrov",
    "Jansen",
    "Costa",
    "Larsen",
    "Rahman",
    "Weber",
    "Diallo",
    "Kowalski",
    "Ferrari",
    "Nyberg",
    "Santos",
    "Adler",
    "Bakker",
    "Chen",
    "Demir",
    "Eriksen",
    "Fontaine",
    "Gruber",
    "Holm",
    "Ivanov",
    "Joshi",
    "Keller",
    "Laurent",
    "Marino",
    "Nilsen",
    "Olsen",
    "Park",
    "Quist",
    "Reyes",
    "Sato",
    "Torres",
    "Ueda",
    "Vargas",
    "Winter",
    "Yilmaz",
    "Zeller",
    "Abebe",
    "Blanc",
    "Castro",
    "Dahl",
    "Engel",
    "Falk",
    "Greco",
    "Hansen",
    "Iqbal",
]


_PHRASES = {
    "fluid milk white only": "milk",
    "fluid milk products": "milk",
    "yogurt not multi-packs": "yogurt",
    "eggs-large": "large eggs",
    "eggs-x-large": "extra large eggs",
    "ice cream, milk, sherbts": "ice cream",
    "regular garden": "garden salad",
    "garden plus": "garden salad mix",
    "instore cut fruit": "cut fruit",
    "frozen bagged vegetables-plain": "frozen vegetables",
    "soft drinks 20pk&24pk can carb": "soft drinks, large pack",
    "soft drinks 12, 18&15pk can car": "soft drinks, cans",
    "soft drink 2 liter bottle carb incl": "soft drinks, 2 litre bottle",
    "crackers, other baked fd": "crackers",
    "premium bread": "bread",
    "mainstream white bread": "white bread",
    "mainstream wheat, multigrain br": "wheat bread, multigrain",
    "dairy case 100% pure juice-o": "orange juice",
    "soft drink sngl srv bottle carb": "soft drink, single bottle",
    "soft drink mlt-pk bottle carb": "multipack soft drinks, bottles",
    "soft drinks 6pk, 4pk can carb": "small pack soft drinks, cans",
    "rts soup, chunky, homestyle et": "ready soup, chunky, homestyle",
    "iws single cheese": "single cheese slices",
    "single serve economy meals, dinners all": "single meals",
    "frozen single serve premium meals, dinners, and": "frozen single meals, premium",
    "frozen single serve premium meals, dinners, t": "frozen single meals, premium",
    "frozen multi serve meals all": "frozen family meals",
    "aseptic pack juice and drinks": "small juice cartons",
    "non-crbntd drnking, mneral wate": "still water",
    "non-carb flvrd drnkng, mnrl wat": "flavoured water",
    "sgl sv, vend mach snacks chip, p": "single serve chips",
    "natural cheese exact wt chunks": "block cheese",
    "natural cheese exact wt slices": "cheese slices",
    "sour creams": "sour cream",
    "beans green, fs, whole, cut": "green beans, whole, cut",
    "mexican saucessalsapicantee": "salsa and picante sauce",
    "mexican soft tortillas and wra": "soft tortillas and wraps",
    "baby food junior all brands": "junior baby food",
    "frozen breaded prepared chick": "frozen breaded chicken",
    "semi-solid salad dressing may": "mayonnaise",
    "candy bags-chococlate": "chocolate candy bags",
    "refrigerated specilaty rolls": "chilled specialty rolls",
    "facial tissue and paper handke": "facial tissues",
    "frozen boxed vegetables-value a": "frozen boxed vegetables",
    "can catfd gourmet, sup premium": "gourmet canned cat food",
    "can dog food": "canned dog food",
    "blended juice&combinations": "blended juice",
    "broccoli whole&crowns": "broccoli",
    "sandwiches&handhelds": "sandwiches and handhelds",
    "pudding&gelatin cups, cans": "pudding and gelatin cups",
    "garbage kitchen compactor ba": "garbage bags",
    "tomatoes, stewed, diced, crmd": "canned tomatoes, stewed, diced",
    "seafood-frz-raw fillets": "frozen fish fillets",
    "vac pac nuts": "vacuum packed nuts",
    "peas green": "green peas",
    "peppers green bell": "green bell peppers",
    "chicken-fully cooked": "cooked chicken",
    "fluid milk miscellaneous": "other milk",
    # categories
    "water-carbonated, flvrd drink": "carbonated water, flavoured drinks",
    "vegetables salad": "salad vegetables",
    "convenient breakfast, whlsm snacks": "breakfast bars, wholesome snacks",
    "sald dressing, sandwich sprd": "dressings, sandwich spreads",
    "fd wraps, bags, trsh bg": "food wraps, bags, trash bags",
    "facial tiss, dinner napkin": "facial tissues, dinner napkins",
    "frozen novelties, wtr ice": "frozen novelties, water ice",
    "powder, crystal drink mix": "powdered drinks",
    "molasses, syrup, pancake mixs": "syrup, molasses, pancake mixes",
    "hand, body, facial products": "skin care, hand, body, face",
    "greeting cards, wrap, party sply": "greeting cards, wrap, party supplies",
    "household cleang needs": "household cleaning",
    "spring, summer seasonal": "summer goods",
    "fall and winter seasonal": "winter goods",
    "heat, serve": "ready meals",
    "pickle, relish, pkld vegetables": "pickles, relish",
    "frozen vegetable, vegetables dsh": "frozen vegetables",
    "value added fruit": "prepared fruit",
    "value added vegetables": "prepared vegetables",
    "hispanic": "hispanic food",
    "refrigerated": "chilled food",
    "processed": "processed produce",
    "frozen": "frozen food",
    "frozen-boxed": "boxed frozen food",
    "frozen juice conc, drinks": "frozen juice",
    "dinner mxs, dry": "dinner mixes, dry",
    "snacks, ckys, cracker, candy": "snacks and sweets",
    "sugars, sweetners": "sugar, sweeteners",
    "electrical suppplies": "electrical supplies",
    "bath": "bath products",
    "baby hbc": "baby care",
    "floral-fresh cut": "cut flowers",
    "restricted diet": "special diet food",
    "milk by-products": "cream and dips",
    "dry beans, vegetables, potato, rice": "beans, rice, dry vegetables",
}
_QUALIFIERS = frozenset({"premium", "traditional", "mainstream", "value", "economy", "lean", "primal", "enhanced", "select", "choice", "super premium"})  # fmt: skip


def readable(text: str | None) -> str:
    """Return a till's text ("FRZN PIZZA/CHS") as people write it ("Frozen pizza, cheese")."""
    if not text:
        return ""
    text = re.sub(r"\(.*?(\)|$)", " ", text.strip())
    text = re.sub(r"\s*[:/]\s*", ", ", text)
    text = re.sub(r"\*|\"", " ", text)
    words = [
        _WORDS.get(word.rstrip(".,"), word.rstrip(".,").lower()) + ("," if word.endswith(",") else "")
        for word in text.upper().split()
    ]
    sentence = re.sub(r"[,\s-]+$", "", re.sub(r"\s*-\s*", "-", " ".join(words)).strip(" ,-"))
    sentence = _PHRASES.get(sentence, sentence)
    return sentence[:1].upper() + sentence[1:]


def product_name(kind: str, category: str) -> str:
    """Return a product's kind as a name that stands alone: "Traditional" of the category "Ice cream" is "Traditional ice cream"."""
    if kind.lower() not in _QUALIFIERS or not category:
        return kind
    return f"{kind} {category.split(',', maxsplit=1)[0].lower()}"


def package(size: str | None) -> str:
    """Return a package size ("11.5 OZ") as people write it ("11.5 oz"); nothing for what is no size."""
    if not size or not re.search(r"\d", size):
        return ""
    size = re.sub(r"^[A-Z] (?=[\d.])", "", size.upper())  # a letter before the number is the till's own mark
    words = [_UNITS.get(word, word.lower()) for word in size.split()]
    return " ".join(word for word, _ in groupby(words))


def pseudonym(number: int) -> str:
    """Return a synthetic name for household `number`; different for numbers below 3,600."""
    mixed = number * 2477 % (len(FIRST) * len(LAST))  # 2477 is prime: a permutation
    return f"{FIRST[mixed % len(FIRST)]} {LAST[mixed // len(FIRST)]}"
