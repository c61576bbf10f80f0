"""Message page: one message on its page, the HTML body for its frame, attachments and the source."""

from __future__ import annotations

from functools import partial

from flask import Response, request, session, url_for
from werkzeug.wrappers import Response as Answer

from webmail import imap
from webmail.auth.guard import may_come_ahead
from webmail.errors import NoSuchMessageError
from webmail.mail import Message, Part
from webmail.mailbox.search import search_query
from webmail.message import recent_html
from webmail.message.blueprint import blueprint
from webmail.message.views import reading
from webmail.message.views.awaited import note_answers
from webmail.message.views.encryption import kept_messages
from webmail.message.views.html_frame import cleaned_html, frame
from webmail.message.views.invitations import note_replies
from webmail.message.views.phishing import can_be_reported
from webmail.message.views.receipts import receipt_for
from webmail.message.views.remote_images import body_with_images, images_possible
from webmail.message.views.safe_responses import DOWNLOAD_CSP, FRAME_CSP, as_file, for_a_frame, guarded, kept_by_browser
from webmail.web.current import current_account, current_user, preferences
from webmail.web.formatting import today
from webmail.web.forms.request_values import fetched_ahead, local_path, uidvalidity
from webmail.web.message_links import message_url
from webmail.web.rendering import page
from webmail.web.responses import downloads

_SHOWN_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@blueprint.get("/message/<int:uid>/<path:mailbox>")
@may_come_ahead
def show(uid: int, mailbox: str) -> Answer:
    query, sort = request.args.get("query", ""), request.args.get("sort", "date")
    found = reading.read(uid, mailbox, mark=not fetched_ahead())
    if (elsewhere := kept_messages.kept_at_opening(found.context)) is not None:
        return elsewhere
    message, judged = found.message, found.trust
    note_replies(message, judged)
    note_answers(message)
    newer, older = _neighbours(message, query, sort)
    response = page(
        "message/show.html", **found.context, newer=newer, older=older, query=query, sort=sort,
        reportable=can_be_reported(message, found.role, found.rights),
        receipt=receipt_for(message, judged, found.role) if found.keeps_receipts else None,
        conversation=preferences().others_below,
        back=local_path(request.args.get("back", "")) or url_for("mailbox.show", mailbox=mailbox, query=query or None),
    )  # fmt: skip
    if fetched_ahead() and not message.seen:  # the script says so there once the page is opened
        response.headers["X-Traboule-Unseen"] = message_url("message.seen", message)
    return response


@blueprint.post("/seen/<int:uid>/<path:mailbox>")
def seen(uid: int, mailbox: str) -> Response:
    """Mark as read a message whose page was fetched ahead, now that it is shown. Asking twice does no harm."""
    with imap.connect(current_account(), mailbox) as connection:
        imap.messages.mark_seen(connection, mailbox, uid, uidvalidity())
    return Response(status=204)


def _neighbours(message: Message, query: str, sort: str) -> tuple[int | None, int | None]:
    """The UIDs of the messages before and after it in the list it was opened from; none where that search is slow."""
    scattered = message.mailbox in preferences().scattered_folders
    if not query and not scattered and sort in ("date", "oldest"):
        return (message.newer, message.older) if sort == "date" else (message.older, message.newer)
    meant = search_query.understood(query, current_user(), today())
    ask = partial(imap.listing.neighbours, mailbox=message.mailbox, uid=message.uid, query=meant, sort=sort, scattered=scattered)
    unknown: tuple[int | None, int | None] = (None, None)
    return imap.optional(current_account(), message.mailbox, ask, unknown)


@blueprint.get("/body/<int:uid>/<path:mailbox>")
def body(uid: int, mailbox: str) -> Response:
    """The sanitised HTML body as a separate page, whose CSP forbids scripts and remote content."""
    if kept_by_browser():
        return guarded(Response(status=304), FRAME_CSP)
    inside = request.args.get("part", "")
    account, of_session = current_account(), session.id  # type: ignore[attr-defined]
    read_by_page = recent_html.take(of_session, account, mailbox, uid, uidvalidity()) if not inside else {}
    try:
        with imap.connect(account, mailbox) as connection:
            html, shape, cut = imap.messages.html(connection, mailbox, uid, uidvalidity(), inside=inside, cached=read_by_page)
    except NoSuchMessageError:
        if not for_a_frame():
            raise
        return Response(status=204)  # asked for at the click, before anybody knew that it is plain text: no error page for that
    with_remote = "images" in request.args
    found = cleaned_html(html, shape, uid, mailbox, with_remote=with_remote)
    offer = body_with_images() if images_possible() and not with_remote else ""
    return frame(found, cut=cut, remote=found.remote, with_images=offer)


@blueprint.get("/part/<int:uid>/<section>/<path:mailbox>")
def part(uid: int, section: str, mailbox: str) -> Response:
    """An attachment as a download; images that the HTML body refers to are served inline."""
    if kept_by_browser():
        return guarded(Response(status=304), DOWNLOAD_CSP)
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        found, _shape = imap.messages.find_part(connection, mailbox, uid, section, uidvalidity())
        validity = connection.uidvalidity
    inline = "inline" in request.args and found.type in _SHOWN_IMAGES
    kind = found.type if inline else _download_type(found)
    response = downloads.whole(imap.messages.stream(account, mailbox, uid, found, validity), kind)
    return as_file(response, found.filename or "attachment", "inline" if inline else "attachment")


@blueprint.get("/raw/<int:uid>/<path:mailbox>")
def raw(uid: int, mailbox: str) -> Response:
    """The source of the message, as text or as an .eml download."""
    if kept_by_browser():
        return guarded(Response(status=304), DOWNLOAD_CSP)
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        connection.select(mailbox, uidvalidity())
        if imap.actions.with_flag(connection, mailbox, [uid], b"ALL") != [uid]:
            raise NoSuchMessageError(f"{mailbox}: no message has the UID {uid}")
        validity = connection.uidvalidity
    download = "download" in request.args
    kind = "message/rfc822" if download else "text/plain"
    response = downloads.whole(imap.messages.stream_raw(account, mailbox, uid, validity), kind)
    return as_file(response, f"message-{uid}.eml", "attachment" if download else "inline")


@blueprint.app_template_global()
def kind_of(part: Part) -> str:
    """A short label for the kind of file: "PDF", "PNG", "XLSX"."""
    extension = part.filename.rpartition(".")[2] if "." in part.filename else part.type.partition("/")[2]
    return extension[:8].upper()


def _download_type(found: Part) -> str:
    """The type to serve: application/octet-stream for types that a browser might execute."""
    top = found.type.partition("/")[0]
    safe = top in ("image", "audio", "video") and "svg" not in found.type
    return (
        found.type if safe or found.type in ("application/pdf", "application/zip", "text/plain") else "application/octet-stream"
    )
