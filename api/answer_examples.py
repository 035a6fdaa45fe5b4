"""Examples of answers, composed of what single fields say: their own `examples`, else `answer_examples.yml` by name.

An answer has no example when one of its texts has none: a placeholder would teach nothing, and a test names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("answer_examples.yml")
DEEPEST = 40
_NOTHING = object()


class MissingExampleError(LookupError):
    """A field has no example; the message names it."""


class AnswerExamples:
    """Composes examples for the shapes of one document; `shapes` is its `components/schemas`."""

    def __init__(self, shapes: Mapping[str, Any]) -> None:
        told = yaml.safe_load(FILE.read_text(encoding="utf-8"))
        self._shapes, self._fields, self._endings = shapes, told["fields"], told["endings"]

    def of(self, schema: Mapping[str, Any], name: str = "", owner: str = "", depth: int = 0) -> Any:
        """Return an example that fits the schema of `owner`'s field `name`. Raises MissingExampleError."""
        if depth > DEEPEST:
            raise MissingExampleError(f"{owner}.{name} never ends")
        if (said := self._said(schema, name, owner)) is not _NOTHING:
            return said
        if "$ref" in schema:
            shape = schema["$ref"].rsplit("/", 1)[-1]
            own = shape.rsplit("__", 1)[-1]  # of two with one name the document names their modules
            return self.of(self._shapes[shape], name, own, depth + 1)
        if some := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            return self.of(next((one for one in some if one.get("type") != "null"), some[0]), name, owner, depth + 1)
        return self._made(schema, name, owner, depth)

    def _made(self, schema: Mapping[str, Any], name: str, owner: str, depth: int) -> Any:
        kind = schema.get("type")
        if kind == "object" and "properties" in schema:
            return {key: self.of(one, key, owner, depth + 1) for key, one in schema["properties"].items()}
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return {"control": self.of(schema["additionalProperties"], name, owner, depth + 1)}
        if kind == "array":
            one = self.of(schema["items"], name, owner, depth + 1)
            return [one] * max(1, schema.get("minItems", 1))
        if kind == "boolean":
            return False
        if kind in {"integer", "number"}:
            least, most = schema.get("minimum", 0), schema.get("maximum", 1_000)
            return min(max(12 if kind == "integer" else 0.25, least), most)
        raise MissingExampleError(f"{owner}.{name}")

    def _said(self, schema: Mapping[str, Any], name: str, owner: str) -> Any:
        """Return what is said of this field of this shape, by the shape, or where it fits of fields with the name, or with its ending."""
        if (own := self._fields.get(f"{owner}.{name}", _NOTHING)) is not _NOTHING:
            return own
        for key in ("examples", "enum"):
            if schema.get(key):
                return schema[key][0]
        if "const" in schema:
            return schema["const"]
        ending = next((end for end in self._endings if name.endswith(end)), "")
        for found in (self._fields.get(name, _NOTHING), self._endings.get(ending, _NOTHING)):
            if found is not _NOTHING and fits(found, schema):
                return found
        return _NOTHING


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value is of a schema's kind: as deep as is needed to tell texts, numbers, lists and nothing from each other."""
    if some := schema.get("anyOf") or schema.get("oneOf"):
        return any(fits(value, one) for one in some)
    if "type" not in schema and "$ref" not in schema:  # anything
        return True
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "null": type(None),
    }  # fmt: skip
    kind = kinds.get(schema.get("type", ""))
    if kind is None or (isinstance(value, bool) and schema["type"] != "boolean") or not isinstance(value, kind):
        return False
    if isinstance(value, list) and value:
        return fits(value[0], schema.get("items", {})) or not schema.get("items")
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        return all(fits(one, schema["additionalProperties"]) for one in value.values())
    return not (isinstance(value, dict) and "properties" in schema)
