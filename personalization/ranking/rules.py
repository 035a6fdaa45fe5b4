"""Hard rules: what may never be in a slate, however well it scores."""

from __future__ import annotations

from personalization.ranking.text import names, unwanted
from personalization.types import Context, Product, Profile


def allowed(product: Product, context: Context, profile: Profile | None) -> bool:
    """Whether `product` may be shown: in stock, not excluded, no age limit, neither vetoed nor ruled out by the question.

    Excluded is what is in the basket already, or was shown often enough; ruled out what "snacks without nuts" says. An age
    limit always keeps an item out: nobody's age is checked at a display. What a member avoids is the value of the label
    `avoids`, words separated by semicolons.
    """
    if product.product_id in context.exclude or not product.in_stock or product.minimum_age:
        return False
    if context.query and (ruled_out := unwanted(context.query)):
        text = f"{product.name} {product.category}"
        if names(text, ruled_out) or product.contains & ruled_out:
            return False
    return not (product.contains & (avoided(profile) | context.avoid))


def avoided(profile: Profile | None) -> frozenset[str]:
    """Return what a member avoids, in lower case."""
    if profile is None:
        return frozenset()
    told = (str(label.value) for label in profile.labels if label.name == "avoids")
    return frozenset(word.strip().lower() for text in told for word in text.split(";") if word.strip())
