"""Rules as a file of their own: JSON, written for keeping or for another account, and read back."""

from __future__ import annotations

import json
from collections.abc import Iterable

from webmail.filters.imports.found import MOST_FOUND, FoundRule, FoundRules, LeftOut, NotReadableError, WhyLeftOut, plain
from webmail.filters.rules.rules import BadRuleError, FilterRule, from_json, to_json

_VERSION = 1


def rules_as_json(rules: Iterable[FilterRule]) -> str:
    """With its version first, by which `read_own_json` knows it."""
    return json.dumps(
        {"traboule": _VERSION, "rules": [json.loads(to_json(one)) for one in rules]}, ensure_ascii=False, indent=1
    ).replace("{\n ", "{", 1)


def read_own_json(text: str) -> FoundRules:
    """Raises NotReadableError."""
    try:
        data = json.loads(text)
        items = data["rules"]
        if data["traboule"] != _VERSION or not isinstance(items, list):
            raise NotReadableError("another version")
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        if isinstance(error, NotReadableError):
            raise
        raise NotReadableError("not JSON", getattr(error, "lineno", 0)) from error
    rules: list[FoundRule] = []
    out: list[LeftOut] = []
    for number, one in enumerate(items[:MOST_FOUND], 1):
        said = json.dumps(one)
        try:
            rules.append(FoundRule(from_json(said), number))
        except BadRuleError:
            out.append(LeftOut("", plain(said), number, WhyLeftOut.LIMIT))
    return FoundRules("Traboule", tuple(rules), tuple(out), more=len(items) > MOST_FOUND)
