"""The page between a message and a link that pretends to lead elsewhere."""

from __future__ import annotations

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from webmail.message import signed_links
from webmail.message.blueprint import blueprint
from webmail.mime.threats import lookalike
from webmail.web.current import current_user, settings
from webmail.web.request_values import local_path

_PURPOSE = "leave"


def leave_address(url: str, claimed: str, back: str) -> str:
    """Our page about a link: where it leads, the site that it names (may be ""), and the message it stands in."""
    signed = signed_links.signature(settings().secret_key, current_user().id, _PURPOSE, url, claimed, back)
    return url_for("message.leave", to=signed_links.packed(url), seen=claimed or None, back=back, s=signed)


@blueprint.get("/leave")
def leave() -> Response:
    """Shows both addresses; leads nowhere by itself. Only for addresses that we made for this person: 404 for all others."""
    url, seen, back = (
        signed_links.unpacked(request.args.get("to", "")),
        request.args.get("seen", ""),
        request.args.get("back", ""),
    )
    words = (_PURPOSE, url, seen, back)
    if not url or not signed_links.is_signed(request.args.get("s", ""), settings().secret_key, current_user().id, *words):
        abort(404)
    html = render_template(
        "message/leave.html", url=url, seen=seen, seen_readable=lookalike.readable(seen), to=signed_links.destination(url),
        back=local_path(back) or url_for("mailbox.show", mailbox="INBOX"),
    )  # fmt: skip
    response = make_response(html)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
