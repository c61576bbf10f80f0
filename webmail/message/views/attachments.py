"""Attachments pages: attached messages, text files, all headers, printing, and the zip of all attachments."""

from __future__ import annotations

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from webmail import imap
from webmail.errors import NoSuchMessageError
from webmail.imap.connections.connection import Connection
from webmail.mail import Message
from webmail.message import viewers, zip_download
from webmail.message.blueprint import blueprint
from webmail.message.views.encryption.protected_page import protected
from webmail.message.views.html_frame import DARK, asked_scheme, cleaned_html
from webmail.message.views.remote_images import may_load_previews
from webmail.message.views.safe_responses import DOWNLOAD_CSP, FRAME_CSP, as_file, guarded, kept_by_browser
from webmail.message.views.text_bodies import cut_label, shown_bodies, text_or_html
from webmail.mime.formats import enriched_text
from webmail.mime.headers.filenames import called
from webmail.mime.html.sanitizer import Cleaned
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.mime.text import plain_text
from webmail.mime.threats import dangerous_files
from webmail.web.current import current_account, preferences
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.message_links import back_to_message
from webmail.web.rendering import page
from webmail.web.responses import downloads
from webmail.web.responses.errors import error_page


@blueprint.get("/inside/<int:uid>/<section>/<path:mailbox>")
def nested(uid: int, section: str, mailbox: str) -> Response:
    """A page for a message attached to another, with its own attachments."""
    as_text = request.args.get("as", "text" if preferences().prefer_text else "") == "text"
    with imap.connect(current_account(), mailbox) as connection:
        message = imap.attached_messages.read(connection, mailbox, uid, section, uidvalidity(), prefer_html=not as_text)
    message, as_text = text_or_html(message, as_text=as_text)
    sealed = protected(message)
    message = sealed.message if sealed else message
    return page(
        "message/nested.html", message=message, sealed=sealed, mailbox=mailbox, bodies=shown_bodies(message),
        as_text=as_text, viewed=viewers.view(message, with_pictures=may_load_previews()),
        back=local_path(request.args.get("back", "")), dangers=dangerous_files.dangers(message.structure.attachments, message),
    )  # fmt: skip


@blueprint.get("/view/<int:uid>/<section>/<path:mailbox>")
def view_part(uid: int, section: str, mailbox: str) -> Response:
    """A text attachment on a page, as plain text: HTML is converted to text."""
    with imap.connect(current_account(), mailbox) as connection:
        part, _shape = imap.messages.find_part(connection, mailbox, uid, section, uidvalidity())
        if kind_of_part(part) in (PartKind.MESSAGE, PartKind.TNEF, PartKind.IMAGE, PartKind.FILE):
            raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} is no text")
        content, cut = imap.attached_messages.beginning(connection, mailbox, uid, part, uidvalidity())
        validity = connection.uidvalidity
    words = plain_text.html_to_text(content) if part.type == "text/html" else content
    shown = Markup(plain_text.to_html(words, cut_label=cut_label(), fold=False))  # noqa: S704 - escaped by to_html
    return page(
        "message/file.html", part=part, uid=uid, mailbox=mailbox, validity=validity, text=shown, cut=cut and cut_label(),
        back=back_to_message(uid, mailbox),
    )  # fmt: skip


@blueprint.get("/packed/<int:uid>/<section>/<int:number>/<path:mailbox>")
def packed(uid: int, section: str, number: int, mailbox: str) -> Response:
    """Download a file that is uuencoded within a text part; `number` counts from 1."""
    if kept_by_browser():
        return guarded(Response(status=304), DOWNLOAD_CSP)
    with imap.connect(current_account(), mailbox) as connection:
        part, _shape = imap.messages.find_part(connection, mailbox, uid, section, uidvalidity())
        content = (
            imap.attached_messages.beginning(connection, mailbox, uid, part, uidvalidity())[0]
            if part.type == "text/plain"
            else ""
        )
    _text, files = enriched_text.without_files(content)
    if not 1 <= number <= len(files):
        raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} has no file {number}")
    file = files[number - 1]
    return as_file(Response(file.data, mimetype="application/octet-stream"), file.name, "attachment")


@blueprint.get("/headers/<int:uid>/<path:mailbox>")
def head(uid: int, mailbox: str) -> Response:
    """All header fields, of a message or (`part=`) of one attached to it."""
    section = request.args.get("part", "")
    with imap.connect(current_account(), mailbox) as connection:
        raw = imap.attached_messages.head(connection, mailbox, uid, section, uidvalidity())
        validity = connection.uidvalidity
    nested_page = url_for("message.nested", uid=uid, section=section, mailbox=mailbox, v=validity)
    return page(
        "message/headers.html", fields=list(viewers.header_fields(raw)), uid=uid, mailbox=mailbox, validity=validity,
        back=nested_page if section else back_to_message(uid, mailbox),
    )  # fmt: skip


@blueprint.get("/print/<int:uid>/<path:mailbox>", endpoint="print")
def print_view(uid: int, mailbox: str) -> Response:
    """A message for printing. Its HTML is in this page itself, under the frame's CSP, since browsers print only the visible part
    of a frame.
    """
    as_text = request.args.get("as", "text" if preferences().prefer_text else "") == "text"
    section = request.args.get("part", "")
    with imap.connect(current_account(), mailbox) as connection:
        message = _message(connection, mailbox, uid, section, prefer_html=not as_text)
        message, as_text = text_or_html(message, as_text=as_text)
        cleaned, cut = None, message.cut
        if message.structure.html and not as_text:
            html, shape, cut = imap.messages.html(connection, mailbox, uid, message.uidvalidity, inside=section)
            cleaned = cleaned_html(html, shape, uid, mailbox)
    return _printed(message, cleaned, cut)


def _printed(message: Message, cleaned: Cleaned | None, cut: bool) -> Response:
    written = render_template(
        "message/print.html", message=message, bare="bare" in request.args, bodies=shown_bodies(message, fold=False),
        dark=cleaned.dark if cleaned else asked_scheme() in DARK, scheme=asked_scheme(),
        html=Markup(cleaned.html) if cleaned else "", remote=cleaned.remote if cleaned else 0,  # noqa: S704 - cleaned
        cut=cut_label() if cleaned and (cut or cleaned.cut) else "",
    )  # fmt: skip
    response = make_response(written)
    response.headers["Content-Security-Policy"] = FRAME_CSP
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/zip/<int:uid>/<path:mailbox>")
def all_files(uid: int, mailbox: str) -> Response:
    """All attachments as one zip. Completed before it is sent, so that a failure becomes an error page, not a truncated file."""
    if kept_by_browser():
        return guarded(Response(status=304), DOWNLOAD_CSP)
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        message = _message(connection, mailbox, uid, request.args.get("part", ""), prefer_html=True)
    parts = [part for part in message.structure.attachments if part.type not in _REPORTS]
    if not parts:
        raise NoSuchMessageError(f"{mailbox}: message {uid} has no files")
    try:
        response = downloads.written(
            lambda spool: zip_download.write_attachments(account, message, parts, spool), "application/zip"
        )
    except zip_download.ZipTooLargeError:
        return error_page(_("These files won’t fit in one ZIP file"), _("Save them one by one."), 422)
    name = called(message.envelope.subject, "message")
    return as_file(response, f"{name}.zip", "attachment")


_REPORTS = ("message/delivery-status", "message/disposition-notification")


def _message(connection: Connection, mailbox: str, uid: int, section: str, *, prefer_html: bool) -> Message:
    """A message, or the one attached at `section`. Unlike reading, this does not set \\Seen."""
    if section:
        return imap.attached_messages.read(connection, mailbox, uid, section, uidvalidity(), prefer_html=prefer_html)
    return imap.messages.fetch(connection, mailbox, uid, uidvalidity())
