"""Link warning: the page shown before following a link whose text claims another destination."""

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
    """The URL of the warning page for a link; `claimed` is the site that its text names (may be ""), `back` its message."""
    signed = signed_links.signature(settings().secret_key, current_user().id, _PURPOSE, url, claimed, back)
    return url_for("message.leave", to=signed_links.packed(url), seen=claimed or None, back=back, s=signed)


@blueprint.get("/leave")
def leave() -> Response:
    """Show the claimed and actual destination; never redirects. 404 unless the URL was signed by us for this user."""
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
