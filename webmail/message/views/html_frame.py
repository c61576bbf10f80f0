"""HTML frames: a message's HTML, cleaned, as the page that an <iframe> shows."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, render_template, url_for
from markupsafe import Markup

from webmail.mail import Structure
from webmail.message.views.link_warning import leave_address
from webmail.message.views.remote_images import image_address, images_possible
from webmail.message.views.safe_responses import FRAME_CSP, guarded
from webmail.message.views.text_bodies import cut_label
from webmail.mime.html import sanitizer
from webmail.web.request_values import uidvalidity


def frame(found: sanitizer.Cleaned, *, cut: bool, remote: int, with_images: str) -> Response:
    """Cleaned HTML as a page for an <iframe>. `remote`: how many images it says it lacks; `with_images`: where they are shown."""
    shown = render_template(
        "message/body.html", html=Markup(found.html), cut=cut_label() if cut or found.cut else "",  # noqa: S704 - it was cleaned
        remote=remote, with_images=with_images,
    )  # fmt: skip
    response = guarded(Response(shown), FRAME_CSP)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def cleaned_html(html: str, shape: Structure, uid: int, mailbox: str, *, with_remote: bool = False) -> sanitizer.Cleaned:
    """HTML of a message made harmless, its own pictures from here; `with_remote`: those of the web by way of our server."""
    sections = {p.content_id: p.section for p in shape.inline + shape.attachments if p.content_id}

    def link(cid: str) -> str | None:
        section = sections.get(cid.strip("<> "))
        return url_for("message.part", uid=uid, section=section, mailbox=mailbox, v=uidvalidity(), inline=1) if section else None

    return cleaned(html, link, url_for("message.show", uid=uid, mailbox=mailbox, v=uidvalidity()), with_remote=with_remote)


def cleaned(html: str, link: Callable[[str], str | None], back: str, *, with_remote: bool) -> sanitizer.Cleaned:
    """HTML made harmless. `link` finds its own pictures by Content-ID, `back` is where the page of warnings leads back to."""
    return sanitizer.clean(
        html, link, link_for_image=image_address if with_remote and images_possible() else None,
        link_away=lambda url, claimed: leave_address(url, claimed, back),
    )  # fmt: skip
