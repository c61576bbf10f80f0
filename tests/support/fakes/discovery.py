"""Discovery: what Google itself says that its APIs take, to judge requests that a fake was sent.

The files come with `google-api-python-client`, of which nothing else is used.
"""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

_COMMON = {"fields", "alt", "uploadType", "upload_id"}  # of every method, or of how bodies are sent


@cache
def document(name: str) -> dict[str, Any]:
    """Such as "drive.v3"."""
    found = importlib.util.find_spec("googleapiclient")
    assert found is not None and found.origin, "google-api-python-client is not installed"
    file = Path(found.origin).parent / "discovery_cache" / "documents" / f"{name}.json"
    return dict(json.loads(file.read_text()))


def method_of(api: dict[str, Any], verb: str, path: str) -> tuple[str, dict[str, Any]]:
    """The method that such a request is for, by its name."""
    upload = path.startswith("/upload/")
    bare = path.removeprefix("/upload").removeprefix("/" + api["servicePath"])
    fitting = []
    for name, method in _methods(api):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(method["path"]))
        if method["httpMethod"] == verb and re.fullmatch(pattern, bare) and (not upload or method.get("supportsMediaUpload")):
            fitting.append((name, method))
    assert fitting, f"{api['name']} has no method for {verb} {path}"
    return min(fitting, key=lambda one: one[1]["path"].count("{"))


def problems(api: dict[str, Any], verb: str, path: str, asked: dict[str, str], body: Any) -> list[str]:
    """What is wrong with a request: parameters, their values, fields that it asks for, members of its body."""
    name, method = method_of(api, verb, path)
    parameters = method.get("parameters", {})
    found = [f"{name}: no parameter {one}" for one in asked if one not in parameters and one not in _COMMON]
    for one, value in asked.items():
        what = parameters.get(one, {})
        if what.get("type") == "integer" and not (int(what.get("minimum", 0)) <= int(value) <= int(what.get("maximum", 1 << 40))):
            found.append(f"{name}: {one}={value}")
        if what.get("type") == "boolean" and value not in ("true", "false"):
            found.append(f"{name}: {one}={value}")
    needed = [one for one, what in parameters.items() if what.get("required") and what["location"] == "query"]
    found += [f"{name}: {one} is needed" for one in needed if one not in asked]
    if "fields" in asked:
        found += _unknown_fields(api, method["response"]["$ref"], asked["fields"])
    if isinstance(body, dict) and body:
        members = api["schemas"][method["request"]["$ref"]]["properties"]
        found += [f"{name}: its body has no {one}" for one in body if one not in members]
    return found


def _methods(part: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [(one["id"], one) for one in part.get("methods", {}).values()]
    return found + [one for resource in part.get("resources", {}).values() for one in _methods(resource)]


def _unknown_fields(api: dict[str, Any], schema: str, fields: str) -> list[str]:
    """Fields such as "a,b(c,d)" that a schema does not have."""
    found = []
    properties = api["schemas"].get(schema, {}).get("properties", {})
    for name, inner in re.findall(r"(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?", fields):
        what = properties.get(name)
        if what is None:
            found.append(f"{schema} has no {name}")
        elif inner:
            what = what.get("items", what)
            if "$ref" in what:
                found += _unknown_fields(api, what["$ref"], inner)
            else:
                found += [f"{schema}.{name} has no {one}" for one in inner.split(",") if one not in what.get("properties", {})]
    return found
