"""HTML frame: a message's sanitised HTML as the page shown in an <iframe>."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, render_template, request, url_for
from markupsafe import Markup

from webmail.mail import Structure
from webmail.message.blueprint import blueprint
from webmail.message.views.link_warning import VERDICTS, leave_address
from webmail.message.views.remote_images import image_address, images_possible
from webmail.message.views.safe_responses import FRAME_CSP, guarded
from webmail.message.views.text_bodies import cut_label
from webmail.mime.html import sanitizer
from webmail.web.current import preferences
from webmail.web.frame.look import look
from webmail.web.message_links import requested_message_url

DARK = ("auto", "dark")  # schemes in which colours are adapted


def frame(found: sanitizer.Cleaned, *, cut: bool, remote: int, with_images: str) -> Response:
    """Sanitised HTML as a page. `remote`: the number of blocked images to report; `with_images`: the URL that shows them."""
    shown = render_template(
        "message/body.html", html=Markup(found.html), cut=cut_label() if cut or found.cut else "",  # noqa: S704 - it was cleaned
        remote=remote, with_images=with_images, scheme=asked_scheme(), dark=found.dark,
    )  # fmt: skip
    response = guarded(Response(shown), FRAME_CSP)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.app_template_global()
def mail_scheme() -> str | None:
    """What the frame of a message is told of the theme: "dark"; "auto" where the system decides; None for white paper."""
    return {"": "auto", "dark": "dark"}.get(look().theme) if preferences().dark_mail else None


def asked_scheme() -> str:
    """The same as it comes with the request; "original" for the colours of the message, with a way back."""
    asked = request.args.get("scheme", "")
    return asked if asked in ("auto", "dark", "original") else ""


@blueprint.app_template_global()
def in_scheme(scheme: str) -> str:
    """The URL of the requested body in another scheme."""
    values = {name: value for name, value in request.args.items() if name not in ("scheme", "was")}
    back = {"scheme": scheme, "was": asked_scheme()} if scheme == "original" else {"scheme": scheme}
    return url_for(request.endpoint or "", **(request.view_args or {}) | values | back)


@blueprint.app_template_global()
def scheme_before() -> str:
    """That in which "original" was chosen."""
    return "dark" if request.args.get("was") == "dark" else "auto"


def cleaned_html(html: str, shape: Structure, uid: int, mailbox: str, *, with_remote: bool = False) -> sanitizer.Cleaned:
    """Sanitise a message's HTML, with its inline images; `with_remote`: also remote images, through our proxy."""
    sections = {p.content_id: p.section for p in shape.inline + shape.attachments if p.content_id}

    def link(cid: str) -> str | None:
        section = sections.get(cid.strip("<> "))
        return requested_message_url("message.part", uid, mailbox, section=section, inline=1) if section else None

    return cleaned(html, link, requested_message_url("message.show", uid, mailbox), with_remote=with_remote)


def cleaned(html: str, link: Callable[[str], str | None], back: str, *, with_remote: bool) -> sanitizer.Cleaned:
    """Sanitise HTML. `link` maps Content-IDs to URLs of inline images, `back` is where the link warning page leads back to; what
    the page around it thinks of the message comes with the request.
    """
    told = request.args.get("verdict", "")
    verdict = told if told in VERDICTS else ""
    return sanitizer.clean(
        html, link, dark=asked_scheme() in DARK, link_for_image=image_address if with_remote and images_possible() else None,
        link_away=lambda url, claimed: leave_address(url, claimed, back, verdict),
    )  # fmt: skip
