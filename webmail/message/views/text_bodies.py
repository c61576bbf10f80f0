"""Text bodies: the plain text parts of a message as HTML for its page."""

from __future__ import annotations

from flask import render_template, request
from flask_babel import gettext as _
from markupsafe import Markup

from webmail.mail import Message, Part
from webmail.mime.formats import enriched_text
from webmail.mime.text import excuse, plain_text


def text_or_html(message: Message, *, as_text: bool) -> tuple[Message, bool]:
    """The message as its page shows it, and whether as text: one whose text only says that it is in HTML is shown as HTML,
    unless its text was asked for by the link ("as" in the URL)."""
    if as_text and "as" not in request.args and excuse.stands_for_html(message.structure, message.bodies):
        return excuse.without(message), False
    return message, as_text and bool(message.structure.text)


def shown_bodies(message: Message, *, fold: bool = True) -> list[Markup]:
    """The plain text parts of a message as HTML, with a note if they were truncated."""
    here = [(part, message.bodies.get(part.section, "")) for part in message.structure.text]
    texts = [(part, body) for part, body in here if body.strip()]
    bodies = [_ruled(place, _text_html(message, part, body, fold)) for place, (part, body) in enumerate(texts)]
    if message.cut and not any(len(body) > plain_text.SHOWN_LIMIT for _, body in texts):  # that one has the note already
        bodies.append(Markup('<p class="cut">{}</p>').format(cut_label()))
    return bodies


def _ruled(position: int, body: Markup) -> Markup:
    return Markup("<hr>") + body if position else body


def _text_html(message: Message, part: Part, body: str, fold: bool) -> Markup:
    body, files = enriched_text.without_files(body)
    html = plain_text.to_html(
        body,
        flowed=part.format == "flowed",
        delsp=part.delsp,
        quote_label=_("Quoted text"),
        cut_label=cut_label(),
        fold=fold,
    )
    shown = Markup(html)  # noqa: S704 - escaped by to_html
    return shown + Markup(render_template("message/_packed.html", message=message, part=part, files=files)) if files else shown  # noqa: S704


def cut_label() -> str:
    return _("The rest is not shown. Save the message as a file to read it all.")
