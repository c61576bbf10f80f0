"""Remote images views: the image proxy with its signed URLs, and allowing senders' images."""

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
from webmail.mime.headers.authentication import Verdict
from webmail.people import sender_lists
from webmail.web.current import current_user, preferences, settings
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import page

_PURPOSE = "image"


def image_address(url: str) -> str:
    """The proxy URL of a remote image, signed for this user, so that the server is no open proxy."""
    signed = signed_links.signature(settings().secret_key, current_user().id, _PURPOSE, url)
    return url_for("message.image", signature=signed, packed=signed_links.packed(url))


def images_possible() -> bool:
    """Whether the instance allows fetching remote images."""
    return settings().remote_images != "never"


def body_with_images() -> str:
    """The URL of the requested HTML body with remote images."""
    return url_for("message.body", **(request.view_args or {}) | request.args.to_dict() | {"images": "1"})


def decide_images(message: Message, judged: Trust, role: Role | None) -> remote_images.ImageDecision:
    """Whether to show a message's remote images: as requested in the URL (`images=1`), or by the user's preferences."""
    trusted = judged.authentication.verdict is not Verdict.FAILED
    wish = remote_images.choice(preferences(), settings())
    asked, slow = "images" in request.args, not may_load_previews()
    contact = bool(judged.contact)
    return remote_images.decide(
        message, current_user(), wish, trusted=trusted, role=role, is_requested=asked, slow=slow, contact=contact
    )


@blueprint.get("/image/<signature>/<packed>")
def image(signature: str, packed: str) -> Response:
    """Proxy an image from the web, or 404. The CSP keeps it from executing anything when opened directly."""
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
    except image_cache.NoPictureError:
        response = Response(status=404)
        response.headers["Content-Security-Policy"] = DOWNLOAD_CSP
        return response
    return _guarded(Response(found.content, mimetype=found.type), signature, shared=shared)


def _guarded(response: Response, tag: str, *, shared: bool) -> Response:
    """Set headers as for all message content: cached by the browser, but revalidated each time, which checks the session."""
    response.headers["Content-Security-Policy"] = DOWNLOAD_CSP
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Cache-Control"] = "no-store" if shared else "private, no-cache"
    if not shared:
        response.set_etag(tag)
    return response


# --- allowed senders -------------------------------------------------------------------------------------------------


@blueprint.get("/images")
def image_senders() -> Response:
    """The senders whose remote images load automatically, with a button to remove each."""
    return page(
        "message/images.html",
        senders=sender_lists.image_senders(current_user()),
        choice=remote_images.choice(preferences(), settings()),
    )


@blueprint.post("/images")
def change_images() -> Answer:
    """Run an `action`: "allow" or "forget" a `sender`; or set the preference ("ask", "contacts", "known")."""
    user, action, sender = current_user(), request.form.get("action", ""), request.form.get("sender", "")[:300]
    back = local_path(request.form.get("back", "")) or url_for("message.image_senders")
    match action:
        case "allow":
            if sender_lists.allow(user, sender):
                undo = (url_for("message.change_images"), {"action": "forget", "sender": sender, "back": back})
                notify(_("Images from %(sender)s will be shown from now on.", sender=sender), undo=undo)
            else:
                notify(_("This sender can’t be remembered."), "caution")
        case "forget":
            sender_lists.forget(user, sender)
            notify(_("Images from %(sender)s will no longer be shown automatically.", sender=sender))
        case "contacts":
            preferred.change(user, images="contacts")
            undo = (url_for("message.change_images"), {"action": "ask", "back": back})
            notify(_("Images from your contacts will be shown from now on."), undo=undo)
        case "known":
            preferred.change(user, images="known")
            undo = (url_for("message.change_images"), {"action": "ask", "back": back})
            notify(_("Images from your contacts and people you have written to will be shown from now on."), undo=undo)
        case "ask":
            preferred.change(user, images="ask")
            notify(_("Images will be shown only when you ask."))
        case _:
            abort(400)
    return redirect(back, 303)


def may_load_previews() -> bool:
    """Whether image previews may load automatically: not on slow or metered connections (preference, or Save-Data header)."""
    return not preferences().prefer_text and request.headers.get("Save-Data", "").lower() != "on"
