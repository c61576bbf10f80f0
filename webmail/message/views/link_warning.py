"""Link warning: the page shown before following a link whose text claims another destination."""

from __future__ import annotations

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from webmail.message import signed_links
from webmail.message.blueprint import blueprint
from webmail.mime.threats import lookalike
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path

_PURPOSE = "leave"


VERDICTS = ("calm", "danger")  # of the message that holds the link, where the page around it knew; else ""


def leave_address(url: str, claimed: str, back: str, verdict: str = "") -> str:
    """The URL of the warning page for a link; `claimed` is the site that its text names (may be ""), `back` its message,
    `verdict` one of VERDICTS or "".
    """
    signed = signed_links.signature(settings().secret_key, current_user().id, *_signed_values(url, claimed, back, verdict))
    return url_for(
        "message.leave", to=signed_links.packed(url), seen=claimed or None, back=back, verdict=verdict or None, s=signed
    )


def _signed_values(url: str, claimed: str, back: str, verdict: str) -> tuple[str, ...]:
    """What is signed: without a verdict, as before there was any, since browsers keep the pages of messages."""
    return (_PURPOSE, url, claimed, back, verdict) if verdict else (_PURPOSE, url, claimed, back)


@blueprint.get("/leave")
def leave() -> Response:
    """Show the claimed and actual destination; never redirects. 404 unless the URL was signed by us for this user."""
    url = signed_links.unpacked(request.args.get("to", ""))
    seen, back, verdict = (request.args.get(name, "") for name in ("seen", "back", "verdict"))
    words = _signed_values(url, seen, back, verdict)
    if not url or not signed_links.is_signed(request.args.get("s", ""), settings().secret_key, current_user().id, *words):
        abort(404)
    html = render_template(
        "message/leave.html", url=url, seen=seen, seen_readable=lookalike.readable(seen), to=signed_links.destination(url),
        verdict=verdict, back=local_path(back) or url_for("mailbox.show", mailbox="INBOX"),
    )  # fmt: skip
    response = make_response(html)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
