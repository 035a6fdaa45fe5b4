"""Readable names: products out of a till's abbreviations, and synthetic names for households that have none."""

from __future__ import annotations

import re

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
}


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


def package(size: str | None) -> str:
    """Return a package size ("11.5 OZ") as people write it ("11.5 oz"); nothing for what is no size."""
    if not size or not re.search(r"\d", size):
        return ""
    return " ".join(_UNITS.get(word, word.lower()) for word in size.upper().split())


def pseudonym(number: int) -> str:
    """Return a synthetic name for household `number`; different for numbers below 3,600."""
    mixed = number * 2477 % (len(FIRST) * len(LAST))  # 2477 is prime: a permutation
    return f"{FIRST[mixed % len(FIRST)]} {LAST[mixed // len(FIRST)]}"
