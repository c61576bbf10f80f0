"""What everybody may know of the establishment: its logo and colour, the legal notice, accessibility, and where data is."""

from __future__ import annotations

from flask import Response, abort, request
from flask_babel import get_locale
from markupsafe import Markup

from webmail.accounts import data_places, data_register, notices
from webmail.accounts.blueprint import blueprint
from webmail.auth.guard import public
from webmail.establishments import colours, logos
from webmail.web.current import settings
from webmail.web.formatting import LANGUAGES, written_in
from webmail.web.frame.establishment import accessibility_level
from webmail.web.rendering import page
from webmail.web.templates.addresses import url_for
from webmail.web.visitors import chosen_language

_FOR_EVER = "public, max-age=31536000, immutable"


@blueprint.get("/logo/<digest>")
@public
def show_logo(digest: str) -> Response:
    """One query; browsers ask once."""
    found = logos.find(digest) or abort(404)
    return Response(bytes(found.content), mimetype=found.kind, headers={"Cache-Control": _FOR_EVER})


@blueprint.get("/accent/<colour>.css")
@public
def show_accent(colour: str) -> Response:
    """The sheet of any colour: its address says what it holds."""
    if not colours.is_colour(f"#{colour}"):
        abort(404)
    return Response(colours.sheet(f"#{colour}"), mimetype="text/css", headers={"Cache-Control": _FOR_EVER})


@blueprint.get("/legal")
@public
def show_legal() -> Response:
    return _notice("legal")


@blueprint.get("/accessibility")
@public
def show_accessibility() -> Response:
    return _notice("accessibility")


@blueprint.get("/privacy")
@public
def show_privacy() -> Response:
    """Where data is: which machine, which other services, and what is kept how long. No query."""
    with written_in(_language()):
        here = settings()
        return page(
            "accounts/privacy.html", kept=data_places.kept_at(here), sent=data_places.sent_to(here, _language()),
            register=data_register.register(here), own=_markdown(here.presentation.privacy.in_language(_language())),
            shown=here.presentation, host=request.host.partition(":")[0],
        )  # fmt: skip


def _notice(name: str) -> Response:
    with written_in(_language()):
        here = settings()
        facts = {
            "name": here.name,
            "controller": here.presentation.controller,
            "contact": here.presentation.data_contact or here.support.telephone,
            "host": "\n".join(one for one in (here.presentation.host, here.presentation.country) if one),
            "level": accessibility_level(),
            "help": url_for("accounts.show_support"),
            "privacy": url_for("accounts.show_privacy"),
        }
        own = getattr(here.presentation, name)
        return page("accounts/notice.html", name=name, text=_markdown(notices.text(name, own, _language(), facts)))


def _language() -> str:
    return chosen_language() or next((one for one in LANGUAGES if one == str(get_locale())), LANGUAGES[0])


def _markdown(text: str) -> Markup:
    return Markup(notices.to_html(text))  # noqa: S704 - Markdown without HTML of its own
