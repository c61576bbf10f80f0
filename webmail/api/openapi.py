"""OpenAPI 3.1: the description of all operations that programs read, written from their records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from webmail.api import problems
from webmail.api.operations import PATHS, Operation, OperationTable
from webmail.api.schemas import Schema
from webmail.api.shapes import SHAPES
from webmail.auth.sessions.script_sessions import ROOT

VERSION = "1.0.0"
_GENERAL = ("not-found", "invalid", "too-many", "busy", "away", "failed")
_OF_PEOPLE = ("sign-in", "not-allowed")
_OF_BODIES = ("not-understood", "not-json", "too-large")
# what a text of one line, or of several, has none of: as `schemas.faults_of` refuses it
_CLEAN = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
_CLEAN_LINES = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]*$"
_OF_TUS = "As tus 1.0 has it, in plain text"


def document(table: OperationTable, server: str, title: str) -> dict[str, Any]:
    """`server`: where they are, without what stands before each path."""
    paths: dict[str, dict[str, Any]] = {}
    for one in table.all:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": VERSION,
            "description": "What scripts can do with an account. Sign in with an app password that was made for scripts.",
        },
        "servers": [{"url": f"{server}{ROOT}"}],
        "security": [{"basic": []}, {"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(one.tag for one in table.all)],
        "paths": paths,
        "components": {
            "schemas": {**SHAPES, "Problem": _problem()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name, "summary": str(operation.words), "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }  # fmt: skip
    if operation.body is not None:
        required = bool(operation.body.get("required"))
        found["requestBody"] = {"required": required, "content": {"application/json": {"schema": _strict(operation.body)}}}
    elif operation.reads_itself and operation.method in ("PUT", "PATCH", "POST"):
        media = "application/offset+octet-stream" if operation.method != "PUT" else "application/octet-stream"
        found["requestBody"] = {"required": operation.method == "PATCH", "content": {media: {}}}
    if operation.link_opens:
        found["security"] = []
    return found


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", operation.path)
    found = [{"name": name, "in": "path", "required": True, "schema": PATHS[name][1]} for name in names]
    found += [
        {"name": name, "in": "query", "required": name in operation.required, "schema": _strict(schema)}
        for name, schema in operation.query.items()
    ]
    if operation.keyed:
        words = "A random value of yours, the same when you try again: what is asked for is then done once."
        schema = {"type": "string", "minLength": 8, "maxLength": 200}
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": operation.keyed == "must",
                "schema": schema,
                "description": words,
            }
        )
    found += [
        {"name": name, "in": "header", "schema": {"type": "string"}, "description": words}
        for name, words in operation.headers.items()
    ]
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {str(operation.status): {"description": "Done"}}
    if operation.answer:
        found[str(operation.status)]["content"] = {
            "application/json": {"schema": {"$ref": f"#/components/schemas/{operation.answer}"}}
        }
    if "Tus-Resumable" in operation.headers:
        found["4XX"] = {"description": _OF_TUS, "content": {"text/plain": {}, problems.TYPE: {}}}
    if operation.gives_file:
        found |= _file_responses(operation.method == "GET")
    kinds = [
        *_GENERAL,
        *([] if operation.link_opens else _OF_PEOPLE),
        *(_OF_BODIES if operation.body is not None else ()),
        *operation.problems,
    ]
    if operation.keyed:
        kinds += ["key-missing", "key-used", "key-busy"]
    by_status: dict[str, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(str(problems.KINDS[kind].status), []).append(str(problems.KINDS[kind].title))
    for status, titles in sorted(by_status.items()):
        content: Mapping[str, Any] = {problems.TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        found[status] = {"description": "; ".join(titles), "content": content}
    return found


def _strict(schema: Schema) -> dict[str, Any]:
    """What is sent, with the characters that a text may have: other programs know nothing of `x-lines`."""
    found = dict(schema)
    if "properties" in found:
        found["properties"] = {name: _strict(one) for name, one in found["properties"].items()}
    if "items" in found:
        found["items"] = _strict(found["items"])
    if found.get("type") == "string" and not found.keys() & {"pattern", "enum", "format", "contentEncoding"}:
        found["pattern"] = _CLEAN_LINES if found.get("x-lines") else _CLEAN
    return found


def _file_responses(has_bytes: bool) -> dict[str, Any]:
    bytes_of_it: dict[str, Any] = {"content": {"application/octet-stream": {}}} if has_bytes else {}
    told = {"200": ("The file", bytes_of_it), "206": ("The part that was asked for", bytes_of_it)}
    told |= {"304": ("The same as what you have", {}), "412": ("Another than you expect", {}), "416": ("After its end", {})}
    return {status: {"description": words, **more} for status, (words, more) in told.items()}


def _problem() -> dict[str, Any]:
    """RFC 9457, with members of our own."""
    fault = {"type": "object", "properties": {"at": {"type": "string"}, "fault": {"type": "string"}}, "required": ["at", "fault"]}
    return {
        "type": "object",
        "description": "Why it was refused (RFC 9457). `type` ends with one of the kinds of the page /api.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "detail": {"type": "string"}, "errors": {"type": "array", "items": fault},
            "addresses": {"type": "array", "items": {"type": "string"}}, "received": {"type": "integer"},
            "limit": {"type": "integer"},
        },
        "required": ["type", "title", "status", "detail"],
    }  # fmt: skip
