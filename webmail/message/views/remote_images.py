"""Remote images: the address under which our server fetches one, and what a person says about whose to show."""

from __future__ import annotations

from flask import Response, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail import preferences as preferred
from webmail.mail import Message, Role
from webmail.message import image_cache, remote_images, signed_links
from webmail.message.blueprint import blueprint
from webmail.message.sender_check import Trust
from webmail.message.views.safe_responses import DOWNLOAD_CSP
from webmail.mime.authentication import Verdict
from webmail.web.current import current_user, preferences, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.request_values import local_path

_PURPOSE = "image"


def image_address(url: str) -> str:
    """Our address of a remote image. It is made for this person alone: our server fetches nothing for others."""
    signed = signed_links.signature(settings().secret_key, current_user().id, _PURPOSE, url)
    return url_for("message.image", signature=signed, packed=signed_links.packed(url))


def images_possible() -> bool:
    """Whether our server fetches images at all."""
    return settings().remote_images != "never"


def body_with_images() -> str:
    """The address of the HTML body that is asked for, with its remote images."""
    return url_for("message.body", **(request.view_args or {}) | request.args.to_dict() | {"images": "1"})


def decide_images(message: Message, judged: Trust, role: Role | None) -> remote_images.ImageDecision:
    """Whether the page shows a message's remote images: as the address says (`images=1`), or by itself."""
    trusted = judged.authentication.verdict is not Verdict.FAILED
    wish = remote_images.choice(preferences(), settings())
    asked, slow = "images" in request.args, not with_pictures()
    contact = bool(judged.contact)
    return remote_images.decide(
        message, current_user(), wish, trusted=trusted, role=role, asked=asked, slow=slow, contact=contact
    )


@blueprint.get("/image/<signature>/<packed>")
def image(signature: str, packed: str) -> Response:
    """A picture from the web, or 404. Nothing that it holds can run, whatever it is opened in."""
    url = signed_links.unpacked(packed)
    if not url or not signed_links.is_signed(signature, settings().secret_key, current_user().id, _PURPOSE, url):
        abort(404)
    if not images_possible():
        abort(404)
    shared = bool(session.row and session.row.shared)  # type: ignore[attr-defined]
    if not shared and signature in request.if_none_match.as_set(include_weak=True):
        return _guarded(Response(status=304), signature, shared=shared)
    try:
        found = image_cache.picture(url, settings(), current_user().id)
    except image_cache.NoPicture:
        response = Response(status=404)
        response.headers["Content-Security-Policy"] = DOWNLOAD_CSP
        return response
    return _guarded(Response(found.content, mimetype=found.type), signature, shared=shared)


def _guarded(response: Response, tag: str, *, shared: bool) -> Response:
    """As all that comes from a message: kept by the browser, shown again only after asking whether this session lives."""
    response.headers["Content-Security-Policy"] = DOWNLOAD_CSP
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cache-Control"] = "no-store" if shared else "private, no-cache"
    if not shared:
        response.set_etag(tag)
    return response


# --- whose to show ---------------------------------------------------------------------------------------------------


@blueprint.get("/images")
def image_senders() -> Response:
    """Everybody whose remote images load by themselves, with a button to end it."""
    return page(
        "message/images.html",
        senders=remote_images.senders(current_user()),
        choice=remote_images.choice(preferences(), settings()),
    )


@blueprint.post("/images")
def change_images() -> Answer:
    """`action`: allow or forget a `sender`; or the preference itself (ask, contacts, known)."""
    user, action, sender = current_user(), request.form.get("action", ""), request.form.get("sender", "")[:300]
    back = local_path(request.form.get("back", "")) or url_for("message.image_senders")
    match action:
        case "allow":
            if remote_images.allow(user, sender):
                undo = (url_for("message.change_images"), {"action": "forget", "sender": sender, "back": back})
                notify(_("Images from %(sender)s will be shown from now on.", sender=sender), undo=undo, keep=45)
            else:
                notify(_("This sender can't be remembered."), "caution")
        case "forget":
            remote_images.forget(user, sender)
            notify(_("Images from %(sender)s are no longer shown by themselves.", sender=sender))
        case "contacts":
            preferred.change(user, images="contacts")
            undo = (url_for("message.change_images"), {"action": "ask", "back": back})
            notify(_("Images from your contacts will be shown from now on."), undo=undo, keep=45)
        case "known":
            preferred.change(user, images="known")
            undo = (url_for("message.change_images"), {"action": "ask", "back": back})
            notify(_("Images from your contacts and people you have written to will be shown from now on."), undo=undo, keep=45)
        case "ask":
            preferred.change(user, images="ask")
            notify(_("Images are shown when you ask for them."))
        case _:
            abort(400)
    return redirect(back, 303)


def with_pictures() -> bool:
    """Whether small pictures may load by themselves: not on lines that are slow or paid for by the byte."""
    return not preferences().prefer_text and request.headers.get("Save-Data", "").lower() != "on"
