"""Winmail pages: the contents of a winmail.dat (TNEF) from Outlook: text or HTML, files and attached messages."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, request, url_for
from markupsafe import Markup

from webmail import imap
from webmail.errors import NoSuchMessageError
from webmail.mail import Part
from webmail.message.blueprint import blueprint
from webmail.message.views.html_frame import cleaned, frame
from webmail.message.views.remote_images import images_possible
from webmail.message.views.safe_responses import DOWNLOAD_CSP, FRAME_CSP, as_file, guarded, kept_by_browser
from webmail.mime.formats import image_info, tnef
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.mime.text import plain_text
from webmail.mime.threats import dangerous_files
from webmail.web.current import current_account
from webmail.web.forms.request_values import uidvalidity
from webmail.web.message_links import back_to_message
from webmail.web.rendering import page

_PATH = re.compile(r"[1-9]\d{0,3}(\.[1-9]\d{0,3}){0,9}")


@blueprint.get("/winmail/<int:uid>/<section>/<path:mailbox>")
def winmail(uid: int, section: str, mailbox: str) -> Response:
    """A page with the text and files of a winmail.dat.

    `file=` downloads one of the files, `body=1` returns the HTML for a frame, `in=` is the path to a message attached within:
    "2.1" is the first file of the second one.
    """
    number, as_body, way = request.args.get("file", None, int), "body" in request.args, request.args.get("in", "")
    if (number or as_body) and kept_by_browser():
        return guarded(Response(status=304), FRAME_CSP if as_body else DOWNLOAD_CSP)
    part, data, validity = _content(uid, section, mailbox)
    if way and not _PATH.fullmatch(way):
        raise NoSuchMessageError("not the way to an attached message")
    path = tuple(map(int, way.split("."))) if way else ()
    unpacked = tnef.message_at(data, path) if data is not None else None
    if way and unpacked is None:
        raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} has no message at {way}")
    if number is not None:
        return _file(unpacked, number)
    here: dict[str, Any] = {"uid": uid, "section": section, "mailbox": mailbox, "v": validity, "in": way or None}
    if as_body:
        return _body(unpacked, here)
    above = url_for("message.winmail", **here | {"in": ".".join(way.split(".")[:-1]) or None})
    return page(
        "message/winmail.html", part=part, mailbox=mailbox, here=here, way=way, unpacked=unpacked, too_large=data is None,
        inner=f"{way}." if way else "",
        text=Markup(plain_text.to_html(unpacked.text)) if unpacked else "", back=above if way else back_to_message(uid, mailbox),  # noqa: S704 - escaped by to_html
        dangers=_dangers(unpacked),
    )  # fmt: skip


def _content(uid: int, section: str, mailbox: str) -> tuple[Part, bytes | None, int]:
    """(part, its bytes or None if too large, UIDVALIDITY). 2 round trips. Raises NoSuchMessageError."""
    with imap.connect(current_account(), mailbox) as connection:
        part, _shape = imap.messages.find_part(connection, mailbox, uid, section, uidvalidity())
        if kind_of_part(part) is not PartKind.TNEF:
            raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} is no winmail.dat")
        small = part.decoded_size <= tnef.SIZE_LIMIT
        data = imap.messages.part(connection, mailbox, uid, part, uidvalidity()) if small else None
        return part, data, connection.uidvalidity


def _file(unpacked: tnef.Unpacked | None, number: int) -> Response:
    if unpacked is None or not 1 <= number <= len(unpacked.files):
        raise NoSuchMessageError(f"the winmail.dat has no file {number}")
    file = unpacked.files[number - 1]
    shown = image_info.displayable_type(file.data) if "inline" in request.args else ""
    disposition = "inline" if shown else "attachment"
    return as_file(Response(file.data, mimetype=shown or "application/octet-stream"), file.name, disposition)


def _body(unpacked: tnef.Unpacked | None, here: dict[str, Any]) -> Response:
    if unpacked is None or not unpacked.html:
        raise NoSuchMessageError("the winmail.dat has no HTML")
    numbers = {file.content_id: number for number, file in enumerate(unpacked.files, 1) if file.content_id}

    def link(cid: str) -> str | None:
        number = numbers.get(cid.strip("<> "))
        return url_for("message.winmail", **here | {"file": number, "inline": 1}) if number else None

    with_remote = "images" in request.args and images_possible()
    found = cleaned(unpacked.html, link, url_for("message.winmail", **here), with_remote=with_remote)
    offer = url_for("message.winmail", **here | {"body": 1, "images": 1}) if images_possible() and not with_remote else ""
    return frame(found, cut=False, remote=0 if with_remote else found.remote, with_images=offer)


def _dangers(unpacked: tnef.Unpacked | None) -> list[tuple[dangerous_files.Danger, str]]:
    """The dangerous files in it, judged by their names."""
    files = unpacked.files if unpacked else ()
    return dangerous_files.dangers(Part("", "application/octet-stream", len(file.data), filename=file.name) for file in files)
