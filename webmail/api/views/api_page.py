"""The page of scripts: how to sign in, examples, and every operation; and the same for programs, as OpenAPI."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, abort, request
from flask_babel import force_locale
from flask_babel import gettext as _

from webmail.api import examples, problems
from webmail.api.blueprint import blueprint
from webmail.api.openapi import document
from webmail.api.operations import Operation
from webmail.api.views.answering import OPERATIONS
from webmail.auth.devices import app_passwords
from webmail.auth.guard import public
from webmail.auth.sessions.script_sessions import ROOT
from webmail.web.current import settings
from webmail.web.rendering import page


@blueprint.get("/api")
def show() -> Response:
    _check_on()
    tags: dict[str, list[Operation]] = {}
    for one in OPERATIONS.all:
        tags.setdefault(one.tag, []).append(one)
    here = _here()
    return page(
        "api/show.html", tags=tags, tag_words=_tag_words(), kinds=problems.KINDS, here=here, root=f"{here}{ROOT}",
        curl=examples.for_host("curl", here), python=examples.for_host("python", here), guest=examples.for_host("guest", here),
        received=examples.for_host("received", here), fields=_fields,
    )  # fmt: skip


@blueprint.get("/api/openapi.json")
@public
def openapi() -> Response:
    """For programs, in English. Any may read it; it tells nothing of anybody."""
    _check_on()
    with force_locale("en"):
        text = json.dumps(document(OPERATIONS, _here(), settings().name), indent=1)
    return Response(text, content_type="application/json")


def _here() -> str:
    return (settings().public_url or request.host_url).rstrip("/")


def _fields(operation: Operation) -> list[tuple[str, str, bool]]:
    """What its body may hold: name, kind, whether it must be there."""
    if operation.body is None:
        return []
    required = operation.body.get("required", ())
    return [(name, _kind(schema), name in required) for name, schema in operation.body["properties"].items()]


def _kind(schema: dict[str, Any]) -> str:
    if schema["type"] == "array":
        return f"[{schema['items']['type']}]"
    return " / ".join(schema["type"]) if isinstance(schema["type"], list) else str(schema["type"])


def _tag_words() -> dict[str, str]:
    return {
        "account": _("Your account"), "transfers": _("Large files"), "file requests": _("Asking for files"),
        "guests": _("Sending files by a link, without an account"), "calendar": _("Calendar"), "messages": _("Messages"),
    }  # fmt: skip


def _check_on() -> None:
    if not settings().api or not app_passwords.are_available(settings()):
        abort(404)
