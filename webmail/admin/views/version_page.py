"""Which release this is, and what is new in it, as CHANGELOG.md tells it."""

from __future__ import annotations

import re

from flask import Response
from markupsafe import Markup, escape

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.config import version
from webmail.web.rendering import page

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


@blueprint.get("/version")
def version_page() -> Response:
    """No query: two files of the installation are read."""
    administrator()
    return page("admin/version.html", told=version.told(), news=version.news())


@blueprint.app_template_filter("changelog_words")
def changelog_words(text: str) -> Markup:
    """A paragraph of CHANGELOG.md: its code is marked, its links are words."""
    parts = _CODE.split(_LINK.sub(r"\1", text).replace("*", ""))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts))
