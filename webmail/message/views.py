"""Reading one message: the page, the HTML body in its frame, attachments, the source."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

from flask import Blueprint, Response, render_template, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from webmail import downloads, imap
from webmail.mail import Message, NoSuchMessage, Part, Structure
from webmail.mailbox import searching
from webmail.message import receipts, trust, viewers
from webmail.mime import clean, odd_text, text
from webmail.web import current_account, current_user, local_path, page, preferences, remember_overview, settings, uidvalidity
from webmail.words import today

blueprint = Blueprint("message", __name__)

FRAME_CSP = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline' 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
DOWNLOAD_CSP = downloads.POLICY
_SHOWN_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


@blueprint.get("/message/<int:uid>/<path:mailbox>")
def show(uid: int, mailbox: str) -> Response:
    query, sort = request.args.get("query", ""), request.args.get("sort", "date")
    as_text = request.args.get("as", "text" if preferences().prefer_text else "") == "text"
    with imap.connect(current_account(), mailbox) as connection:
        message, overview = imap.messages.read(
            connection, mailbox, uid, uidvalidity(), prefer_html=not as_text, stranger=partial(trust.stranger, current_user())
        )
        keeps = receipts.can_keep(connection.permanent, connection.read_only)
        newer, older = message.newer, message.older
        if query or sort != "date":
            meant = searching.understood(query, current_user(), today())
            newer, older = imap.lists.neighbours(connection, mailbox, uid, query=meant, sort=sort)
        grouped = preferences().in_conversations(mailbox)
        others, count = imap.lists.others_of(connection, mailbox, uid) if grouped else ([], 0)
    remember_overview(overview)
    current = overview.get(mailbox)
    role = current.role if current else None
    judged = trust.judge(message, current_user(), settings(), role)
    return page(
        "message/show.html", message=message, mailbox=mailbox, bodies=shown_bodies(message), newer=newer, older=older,
        query=query, sort=sort, role=role, rights=current.rights if current else None,
        as_text=as_text and bool(message.structure.text), trust=judged,
        pictures=image_views.decide(message, judged, role),
        receipt=receipts.asked(message, current_user(), preferences().receipts, role) if keeps else None,
        others=others, count_of_others=count, viewed=viewers.view(message, with_pictures=with_pictures()),
        back=local_path(request.args.get("back", "")) or url_for("mailbox.show", mailbox=mailbox, query=query or None),
    )  # fmt: skip


@blueprint.get("/body/<int:uid>/<path:mailbox>")
def body(uid: int, mailbox: str) -> Response:
    """The HTML body, cleaned, in a page of its own: its CSP lets nothing run and nothing be fetched from elsewhere."""
    if kept_by_browser():
        return guarded(Response(status=304), FRAME_CSP)
    inside = request.args.get("part", "")
    with imap.connect(current_account(), mailbox) as connection:
        html, shape, cut = imap.messages.html(connection, mailbox, uid, uidvalidity(), inside=inside)
    with_remote = "images" in request.args
    found = cleaned_html(html, shape, uid, mailbox, with_remote=with_remote)
    told = "told" in request.args and not with_remote  # the page around it says how many there are
    offer = image_views.body_with_images() if image_views.possible() and not with_remote else ""
    return frame(found, cut=cut, remote=0 if told else found.remote, with_images=offer)


def frame(found: clean.Cleaned, *, cut: bool, remote: int, with_images: str) -> Response:
    """Cleaned HTML as a page for an <iframe>. `remote`: how many images it says it lacks; `with_images`: where they are shown."""
    shown = render_template(
        "message/body.html", html=Markup(found.html), cut=cut_label() if cut or found.cut else "",  # noqa: S704 - it was cleaned
        remote=remote, with_images=with_images,
    )  # fmt: skip
    response = guarded(Response(shown), FRAME_CSP)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def cleaned_html(html: str, shape: Structure, uid: int, mailbox: str, *, with_remote: bool = False) -> clean.Cleaned:
    """HTML of a message made harmless, its own pictures from here; `with_remote`: those of the web by way of our server."""
    sections = {p.content_id: p.section for p in shape.inline + shape.attachments if p.content_id}

    def link(cid: str) -> str | None:
        section = sections.get(cid.strip("<> "))
        return url_for("message.part", uid=uid, section=section, mailbox=mailbox, v=uidvalidity(), inline=1) if section else None

    return cleaned(html, link, url_for("message.show", uid=uid, mailbox=mailbox, v=uidvalidity()), with_remote=with_remote)


def cleaned(html: str, link: Callable[[str], str | None], back: str, *, with_remote: bool) -> clean.Cleaned:
    """HTML made harmless. `link` finds its own pictures by Content-ID, `back` is where the page of warnings leads back to."""
    return clean.clean(
        html, link, link_for_image=image_views.image_address if with_remote and image_views.possible() else None,
        link_away=lambda url, claimed: link_views.leave_address(url, claimed, back),
    )  # fmt: skip


@blueprint.get("/part/<int:uid>/<section>/<path:mailbox>")
def part(uid: int, section: str, mailbox: str) -> Response:
    """An attachment, streamed as a download; images that the HTML body refers to are shown inline."""
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
    """The message as it came: shown as text, or as an .eml file."""
    if kept_by_browser():
        return guarded(Response(status=304), DOWNLOAD_CSP)
    account = current_account()
    with imap.connect(account, mailbox) as connection:
        connection.select(mailbox, uidvalidity())
        if imap.actions.with_flag(connection, mailbox, [uid], b"ALL") != [uid]:
            raise NoSuchMessage(f"{mailbox}: no message has the UID {uid}")
        validity = connection.uidvalidity
    download = "download" in request.args
    kind = "message/rfc822" if download else "text/plain"
    response = downloads.whole(imap.messages.stream_raw(account, mailbox, uid, validity), kind)
    return as_file(response, f"message-{uid}.eml", "attachment" if download else "inline")


@blueprint.app_template_global()
def kind_of(part: Part) -> str:
    """What a person calls this kind of file: "PDF", "PNG", "XLSX"."""
    extension = part.filename.rpartition(".")[2] if "." in part.filename else part.type.partition("/")[2]
    return extension[:8].upper()


def shown_bodies(message: Message, *, fold: bool = True) -> list[Markup]:
    """The plain texts of a message as HTML, with a word where some of them is missing."""
    here = [(part, message.bodies.get(part.section, "")) for part in message.structure.text]
    texts = [(part, body) for part, body in here if body.strip()]
    bodies = [_ruled(place, _shown(message, part, body, fold)) for place, (part, body) in enumerate(texts)]
    if message.cut and not any(len(body) > text.SHOWN_LIMIT for _, body in texts):  # that one tells it already
        bodies.append(Markup('<p class="cut">{}</p>').format(cut_label()))
    return bodies


def with_pictures() -> bool:
    """Whether small pictures may load by themselves: not on lines that are slow or paid for by the byte."""
    return not preferences().prefer_text and request.headers.get("Save-Data", "").lower() != "on"


def _ruled(place: int, body: Markup) -> Markup:
    return Markup("<hr>") + body if place else body


def _shown(message: Message, part: Part, body: str, fold: bool) -> Markup:
    body, files = odd_text.without_files(body)
    html = text.to_html(
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
    return _("The rest is not shown: save the message as a file to read it all.")


def _download_type(found: Part) -> str:
    """Types that a browser might run are downloaded as bytes without meaning."""
    top = found.type.partition("/")[0]
    safe = top in ("image", "audio", "video") and "svg" not in found.type
    return (
        found.type if safe or found.type in ("application/pdf", "application/zip", "text/plain") else "application/octet-stream"
    )


def as_file(response: Response, filename: str, disposition: str) -> Response:
    """What a browser saves, or shows in a page of its own; nothing in it can run."""
    response.headers["Content-Disposition"] = downloads.disposition(filename, disposition)
    return guarded(response, DOWNLOAD_CSP)


# --- what the browser keeps ------------------------------------------------------------------------------------------


def guarded(response: Response, policy: str) -> Response:
    """The headers of everything that comes from a message. A 304 has them too: browsers put them over those they kept."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    if tag := _tag():
        response.headers["Cache-Control"] = "private, no-cache"  # kept, and shown only after asking whether this session lives
        response.set_etag(tag)
    return response


def kept_by_browser() -> bool:
    """Whether the browser has this already, so that 304 answers it without a round trip to the mail server.

    It names the tag of an answer that was given under this UIDVALIDITY to this person, who is signed in now. Nobody else can
    name it: it takes the instance's secret, and holds whose it is. So a 304 shows nothing and tells nothing new; whoever asks
    with another person's tag, or "*", is sent to the mail server, which decides.
    """
    tag = _tag()
    asked = request.if_none_match.as_set(include_weak=True)  # never "*"
    return bool(tag) and any(each.partition(":")[0] == tag for each in asked)  # Flask-Compress adds ":br"


def _tag() -> str:
    """The ETag (RFC 9110 section 8.8.3) of what this address shows this person; "" where nothing may be kept.

    Without a UIDVALIDITY in the address its content may change, and on a shared computer nothing stays.
    """
    shared = bool(session.row and session.row.shared)  # type: ignore[attr-defined]
    if shared or not uidvalidity():
        return ""
    told = "\n".join((current_user().address, request.full_path, str(get_locale()), _MADE_BY))
    return hmac.digest(settings().secret_key.encode(), told.encode(), "sha256").hex()[:32]


def _made_by() -> str:
    """A word for the code that makes a page of a message: what an older cleaner let through is not shown again."""
    root = Path(__file__).resolve().parents[2]
    files = [*root.glob("webmail/mime/*.py"), Path(__file__), root / "templates/message/body.html", root / "static/frame.css"]
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return hashlib.sha256(" ".join([*sums, *map(version, ("nh3", "tinycss2"))]).encode()).hexdigest()


_MADE_BY = _made_by()


from webmail.message import (  # noqa: E402 - their routes and words belong to this blueprint
    conversation_views,  # noqa: F401
    image_views,
    link_views,
    receipt_views,  # noqa: F401
    report_views,  # noqa: F401
    trust_views,  # noqa: F401
    unsubscribe_views,  # noqa: F401
    viewer_views,  # noqa: F401
    winmail_views,  # noqa: F401
    word_views,  # noqa: F401
)
