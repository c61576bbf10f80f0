"""Conversation page: all messages of a conversation, the newest and unread ones expanded, the others collapsed."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, request, url_for

from webmail import imap
from webmail.message import viewers
from webmail.message.blueprint import blueprint
from webmail.message.views.remote_images import may_load_previews
from webmail.message.views.text_bodies import shown_bodies, text_or_html
from webmail.web.current import current_account, preferences, remember_overview
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.rendering import page


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
