"""Reading one message: the page, the HTML body in its frame, attachments, the source."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request, session, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from webmail import imap
from webmail.mail import NoSuchMessage, Part
from webmail.mime import clean, text
from webmail.web import current_account, local_path, page, remember_overview

blueprint = Blueprint("message", __name__)

_FRAME_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline' 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_DOWNLOAD_CSP = "default-src 'none'; frame-ancestors 'none'; sandbox"
_SHOWN_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@blueprint.get("/message/<int:uid>/<path:mailbox>")
def show(uid: int, mailbox: str) -> Response:
    query, sort = request.args.get("query", ""), request.args.get("sort", "date")
    as_text = request.args.get("as") == "text"
    with imap.connect(current_account(), mailbox) as connection:
        message, overview = imap.messages.read(connection, mailbox, uid, _uidvalidity(), prefer_html=not as_text)
        newer, older = message.newer, message.older
        if query or sort != "date":
            newer, older = imap.messages.neighbours(connection, mailbox, uid, query=query, sort=sort)
    remember_overview(overview)
    current = overview.get(mailbox)
    bodies = [_shown(p, message.bodies[p.section]) for p in message.structure.text if p.section in message.bodies]
    return page(
        "message/show.html", message=message, mailbox=mailbox, bodies=bodies, newer=newer, older=older, query=query, sort=sort,
        role=current.role if current else None, as_text=as_text,
        back=local_path(request.args.get("back", "")) or url_for("mailbox.show", mailbox=mailbox, query=query or None),
    )  # fmt: skip


@blueprint.get("/body/<int:uid>/<path:mailbox>")
def body(uid: int, mailbox: str) -> Response:
    """The HTML body, cleaned, in a page of its own: its CSP lets nothing run and nothing be fetched from elsewhere."""
    with imap.connect(current_account(), mailbox) as connection:
        html, shape = imap.messages.html(connection, mailbox, uid, _uidvalidity())
    sections = {p.content_id: p.section for p in shape.inline + shape.attachments if p.content_id}

    def link(cid: str) -> str | None:
        section = sections.get(cid.strip("<> "))
        return url_for("message.part", uid=uid, section=section, mailbox=mailbox, v=_uidvalidity(), inline=1) if section else None

    cleaned = clean.clean(html, link)
    page_html = render_template("message/body.html", html=Markup(cleaned.html), remote=cleaned.remote)  # noqa: S704 - cleaned above
    response = Response(page_html)
    response.headers["Content-Security-Policy"] = _FRAME_CSP
    response.headers["Cache-Control"] = _keep()
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/part/<int:uid>/<section>/<path:mailbox>")
def part(uid: int, section: str, mailbox: str) -> Response:
    """An attachment, streamed as a download; images that the HTML body refers to are shown inline."""
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        found, _shape = imap.messages.find_part(connection, mailbox, uid, section, _uidvalidity())
        validity = connection.uidvalidity
    inline = "inline" in request.args and found.type in _SHOWN_IMAGES
    kind = found.type if inline else _download_type(found)
    response = _whole(imap.messages.stream(account, mailbox, uid, found, validity), kind)
    return _as_file(response, found.filename or "attachment", "inline" if inline else "attachment")


@blueprint.get("/raw/<int:uid>/<path:mailbox>")
def raw(uid: int, mailbox: str) -> Response:
    """The message as it came: shown as text, or as an .eml file."""
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        connection.select(mailbox, _uidvalidity())
        if imap.actions.with_flag(connection, mailbox, [uid], b"ALL") != [uid]:
            raise NoSuchMessage(f"{mailbox}: no message has the UID {uid}")
        validity = connection.uidvalidity
    download = "download" in request.args
    response = _whole(imap.messages.stream_raw(account, mailbox, uid, validity), "message/rfc822" if download else "text/plain")
    return _as_file(response, f"message-{uid}.eml", "attachment" if download else "inline")


@blueprint.app_template_global()
def kind_of(part: Part) -> str:
    """What a person calls this kind of file: "PDF", "PNG", "XLSX"."""
    extension = part.filename.rpartition(".")[2] if "." in part.filename else part.type.partition("/")[2]
    return extension[:8].upper()


def _shown(part: Part, body: str) -> Markup:
    html = text.to_html(
        body,
        flowed=part.format == "flowed",
        delsp=part.delsp,
        quote_label=_("Quoted text"),
        cut_label=_("The rest is not shown: save the message as a file to read it all."),
    )
    return Markup(html)  # noqa: S704 - escaped by to_html


def _uidvalidity() -> int | None:
    """The UIDVALIDITY that the link was made under, where it says so."""
    return request.args.get("v", None, int)


def _download_type(found: Part) -> str:
    """Types that a browser might run are downloaded as bytes without meaning."""
    top = found.type.partition("/")[0]
    safe = top in ("image", "audio", "video") and "svg" not in found.type
    return (
        found.type if safe or found.type in ("application/pdf", "application/zip", "text/plain") else "application/octet-stream"
    )


def _whole(chunks: Iterator[bytes], mimetype: str) -> Response:
    """An answer with its Content-Length, through a file: what breaks off on the way from the mail server is an error page,
    never a file that looks complete. A megabyte at most is in memory."""
    spool = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 - closed with the answer
    try:
        for chunk in chunks:
            spool.write(chunk)
    except BaseException:
        spool.close()
        raise
    size = spool.tell()
    spool.seek(0)
    response = Response(iter(lambda: spool.read(1 << 16), b""), mimetype=mimetype)
    response.call_on_close(spool.close)
    response.content_length = size
    return response


def _as_file(response: Response, filename: str, disposition: str) -> Response:
    """RFC 6266, with the RFC 8187 form for names that are not ASCII; nothing in it can run."""
    ascii_name = filename.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_").replace("?", "_")
    name = f"; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"
    response.headers["Content-Disposition"] = disposition + name
    response.headers["Content-Security-Policy"] = _DOWNLOAD_CSP
    response.headers["Cache-Control"] = _keep()
    return response


def _keep() -> str:
    """A body never changes for its UIDVALIDITY and UID: the browser may keep it, unless the computer is shared."""
    shared = bool(session.row and session.row.shared)  # type: ignore[attr-defined]
    return "no-store" if shared or not _uidvalidity() else "private, max-age=604800, immutable"
