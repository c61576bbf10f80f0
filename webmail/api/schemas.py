"""Schemas of what scripts send and get: JSON Schema (2020-12), of which `faults_of` knows as much as these use.

What the OpenAPI document says is what is checked. Texts are one line, without control characters, unless they say otherwise
(`x-lines`): nothing of them can begin another header or line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "boolean": (bool,), "array": (list,), "object": (dict,), "null": (type(None),),
}  # fmt: skip
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)
_MOST_FAULTS = 20
LARGEST = 2**53 - 1  # what JSON readers keep exact


def text(most: int, note: str = "", *, least: int = 0, lines: bool = False, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "maxLength": most, **more}
    if least:
        found["minLength"] = least
    if lines:
        found["x-lines"] = True
    return _with(found, note)


def number(most: int = LARGEST, note: str = "", *, least: int = 0) -> dict[str, Any]:
    return _with({"type": "integer", "minimum": least, "maximum": most}, note)


def yes_or_no(note: str = "", default: bool | None = None) -> dict[str, Any]:
    return _with({"type": "boolean"} | ({} if default is None else {"default": default}), note)


def moment(note: str = "") -> dict[str, Any]:
    return _with({"type": "string", "format": "date-time", "maxLength": 40}, note)


def until(note: str = "") -> dict[str, Any]:
    """A day, which ends it, or a moment."""
    return _with({"type": "string", "maxLength": 40, "pattern": f"^{_MOMENT.pattern}$"}, note)


def one_of(values: tuple[str, ...], note: str = "") -> dict[str, Any]:
    return _with({"type": "string", "enum": list(values)}, note)


def several(items: Schema, most: int, note: str = "", *, least: int = 0) -> dict[str, Any]:
    return _with({"type": "array", "items": items, "maxItems": most} | ({"minItems": least} if least else {}), note)


def or_null(schema: Schema) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def record(properties: Mapping[str, Schema], *required: str, note: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        found["required"] = list(required)
    return _with(found, note)


def _with(schema: dict[str, Any], note: str) -> dict[str, Any]:
    return schema | ({"description": note} if note else {})


def faults_of(value: Any, schema: Schema) -> list[dict[str, str]]:
    """What is wrong with a value: where (a JSON pointer), and what in English; twenty at most."""
    found: list[dict[str, str]] = []
    for at, fault in _faults(value, schema, ""):
        found.append({"at": at or "/", "fault": fault})
        if len(found) == _MOST_FAULTS:
            break
    return found


def _faults(value: Any, schema: Schema, at: str) -> Iterator[tuple[str, str]]:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(isinstance(value, _KINDS[kind]) and not (kind == "integer" and isinstance(value, bool)) for kind in kinds):
        yield at, f"must be {' or '.join(kinds)}"
    elif isinstance(value, str):
        yield from ((at, fault) for fault in _text_faults(value, schema))
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        if not schema.get("minimum", -LARGEST) <= value <= schema.get("maximum", LARGEST):
            yield at, f"must be from {schema.get('minimum', -LARGEST)} to {schema.get('maximum', LARGEST)}"
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema["maxItems"]:
            yield at, f"must have from {schema.get('minItems', 0)} to {schema['maxItems']} items"
            return
        for place, one in enumerate(value):
            yield from _faults(one, schema["items"], f"{at}/{place}")
    elif isinstance(value, dict):
        yield from _object_faults(value, schema, at)


def _object_faults(value: dict[str, Any], schema: Schema, at: str) -> Iterator[tuple[str, str]]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}/{name}", "is required"
    known = schema["properties"]
    for name, one in value.items():
        if name in known:
            yield from _faults(one, known[name], f"{at}/{name}")
        else:
            yield f"{at}/{_escaped(name)}", "is not known here"


def _escaped(name: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in name[:100])
    return shown.replace("~", "~0").replace("/", "~1")


def _text_faults(value: str, schema: Schema) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 1 << 20):
        yield f"must have from {schema.get('minLength', 0)} to {schema.get('maxLength', 1 << 20)} characters"
    elif not _is_clean(value, lines=schema.get("x-lines", False)):
        yield "has characters that can't be used here"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"must be one of {', '.join(schema['enum'])}"
    elif schema.get("format") == "date-time" and not (_MOMENT.fullmatch(value) and "T" in value):
        yield "must be a moment with its zone, such as 2026-12-24T08:00:00+01:00"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield "must be a day or a moment with its zone, such as 2026-12-24 or 2026-12-24T08:00:00Z"


def _is_clean(value: str, *, lines: bool) -> bool:
    """No control characters, no half of a pair (which is no UTF-8), no line that ends where nobody sees it."""
    if value.isascii():
        return all(" " <= c != "\x7f" or (lines and c in "\n\r\t") for c in value)
    return not any(
        (c < " " and not (lines and c in "\n\r\t")) or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" or "\ud800" <= c <= "\udfff"
        for c in value
    )
