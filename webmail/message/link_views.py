"""The page between a message and a link that pretends to lead elsewhere."""

from __future__ import annotations

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from webmail.message import links
from webmail.message.views import blueprint
from webmail.mime import lookalike
from webmail.web import current_user, local_path, settings

_PURPOSE = "leave"


def leave_address(url: str, claimed: str, back: str) -> str:
    """Our page about a link: where it leads, the site that it names (may be ""), and the message it stands in."""
    signed = links.signature(settings().secret_key, current_user().id, _PURPOSE, url, claimed, back)
    return url_for("message.leave", to=links.packed(url), seen=claimed or None, back=back, s=signed)


@blueprint.get("/leave")
def leave() -> Response:
    """Shows both addresses; leads nowhere by itself. Only for addresses that we made for this person: 404 for all others."""
    url, seen, back = links.unpacked(request.args.get("to", "")), request.args.get("seen", ""), request.args.get("back", "")
    words = (_PURPOSE, url, seen, back)
    if not url or not links.is_signed(request.args.get("s", ""), settings().secret_key, current_user().id, *words):
        abort(404)
    html = render_template(
        "message/leave.html", url=url, seen=seen, seen_readable=lookalike.readable(seen), to=links.destination(url),
        back=local_path(back) or url_for("mailbox.show", mailbox="INBOX"),
    )  # fmt: skip
    response = make_response(html)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
