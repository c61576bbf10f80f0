"""Conversation pages: all its messages on one page; the others of a message, folded below it, and the text of one unfolded."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Answer

from webmail import imap
from webmail.imap.searching.conversation_search import OtherMessages
from webmail.message import viewers
from webmail.message.blueprint import blueprint
from webmail.message.views import reading
from webmail.message.views.remote_images import may_load_previews
from webmail.message.views.text_bodies import shown_bodies, text_or_html
from webmail.web.current import current_account, preferences, remember_overview
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.message_links import requested_message_url
from webmail.web.rendering import fragment, page


@blueprint.get("/conversation/<int:uid>/<path:mailbox>")
def conversation(uid: int, mailbox: str) -> Response:
    prefer_html = not preferences().prefer_text
    with imap.connect(current_account(), mailbox) as connection:
        found, overview = imap.conversations.read(connection, mailbox, uid, uidvalidity(), prefer_html=prefer_html)
    remember_overview(overview)
    current = overview.get(mailbox)
    shown = {m.uid: text_or_html(m, as_text=not prefer_html) for m in found.messages if m.uid in found.open}
    found = replace(found, messages=tuple(shown[m.uid][0] if m.uid in shown else m for m in found.messages))
    opened = [message for message, _as_text in shown.values()]
    return page(
        "message/conversation.html", mailbox=mailbox, found=found, uid=uid,
        subject=found.messages[-1].envelope.subject,
        bodies_of={message.uid: shown_bodies(message) for message in opened},
        viewed_of={message.uid: viewers.view(message, with_pictures=may_load_previews()) for message in opened},
        as_text_of={uid: as_text for uid, (_message, as_text) in shown.items()},
        role=current.role if current else None, rights=current.rights if current else None,
        back=local_path(request.args.get("back", "")) or url_for("mailbox.show", mailbox=mailbox),
    )  # fmt: skip


@blueprint.get("/others/<int:uid>/<path:mailbox>")
def other_messages(uid: int, mailbox: str) -> Answer:
    """The heads of the others, a piece of a message's page that is asked for after it; alone, the conversation's own page."""
    if not _is_piece():
        return redirect(requested_message_url("message.conversation", uid, mailbox, back=_back()), 303)
    ask = partial(imap.conversation_search.others_everywhere, mailbox=mailbox, uid=uid, uidvalidity=uidvalidity())
    found: OtherMessages | None = imap.optional(current_account(), mailbox, ask, None)
    return fragment("message/_others.html", found=found, uid=uid, mailbox=mailbox, back=_back())


@blueprint.get("/unfolded/<int:uid>/<path:mailbox>")
def unfolded(uid: int, mailbox: str) -> Answer:
    """One of them unfolded: its text, with all that protects on its own page, where somebody comes who has no scripts."""
    if not _is_piece():
        return redirect(requested_message_url("message.show", uid, mailbox, back=_back()), 303)
    return fragment("message/_unfolded.html", **reading.read(uid, mailbox, mark=True).context, back=_back())


def _is_piece() -> bool:
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and htmx.target != "main"


def _back() -> str | None:
    return local_path(request.args.get("back", "")) or None
