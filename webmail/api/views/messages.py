"""Messages for scripts: sent as oneself, once for each key; asked after; taken back while they wait."""

from __future__ import annotations

from typing import Any

from webmail.api import answer_bodies, message_sending
from webmail.api.operations import ApiAnswer, ApiCall, Operation
from webmail.api.problems import ProblemError
from webmail.api.request_keys import keyed
from webmail.api.schemas import moment, record, several, text
from webmail.compose.drafts import drafts
from webmail.compose.outbox import queue
from webmail.config.settings import Settings
from webmail.errors import NoSuchMessageError, SignInRefusedError
from webmail.models import Outbox
from webmail.web.current import current_account, sealed_credential, wake
from webmail.web.formatting import lazy_text as _l

_PEOPLE = several(text(320, "“marie@example.org”, or “Marie Curie <marie@example.org>”", least=3), 1000)
_LONGEST_FILE = 200_000_000  # characters of Base64; what a message may have is less
NEW = record(
    {
        "to": _PEOPLE, "cc": _PEOPLE, "bcc": _PEOPLE, "reply_to": _PEOPLE, "subject": text(900), "text": text(1_000_000,
        lines=True),
        "from": text(254, "One of your addresses; the usual one if empty"),
        "attachments": several(
            record(
                {
                    "name": text(150, least=1), "type": text(120, "Such as application/pdf"),
                    "content": {"type": "string", "contentEncoding": "base64", "maxLength": _LONGEST_FILE},
                },
                "name", "content",
            ),
            100,
        ),
        "send_at": moment("Send it then; at once if empty"), "in_reply_to": text(250, "The Message-ID that it answers"),
        "references": several(text(250), 30),
    }
)  # fmt: skip


def _most_body(settings: Settings) -> int:
    """A message as large as may be, in Base64, and its addresses."""
    return settings.message_limit * 4 // 3 + 1024 * 1024


def send(call: ApiCall) -> ApiAnswer:
    try:
        account, credential = current_account(), sealed_credential()
    except SignInRefusedError as error:  # the mail server wants the person's own password
        raise ProblemError("no-mail") from error
    with keyed(call.person, "message", call.key, call.fingerprint, call.settings) as work:
        if not work.number:
            draft_id = message_sending.id_for(work.secret)
            sent = message_sending.queue_message(call.person, account, draft_id, call.body, call.settings, credential)
            work.finish(sent.id)
            wake(sent)
    return answer_bodies.answer(answer_bodies.message(_mine(call, work.number)), 202)


def _mine(call: ApiCall, number: int) -> Outbox:
    try:
        return queue.find(call.person, number)
    except NoSuchMessageError as error:
        raise ProblemError("not-found") from error


def show(call: ApiCall) -> ApiAnswer:
    return answer_bodies.answer(answer_bodies.message(_mine(call, call.values["number"])))


def cancel(call: ApiCall) -> ApiAnswer:
    """Take it back while it waits; its draft goes too."""
    row = _mine(call, call.values["number"])
    draft_id = queue.undo(call.person, row.id)
    if draft_id is None:
        raise ProblemError("conflict", "It has left already, or is leaving now.")
    drafts.forget(draft_id, call.settings)
    return answer_bodies.answer(answer_bodies.message(_mine(call, row.id)))


_SHAPE: dict[str, Any] = {"tag": "messages", "answer": "Message"}
OPERATIONS = (
    Operation(
        name="send_message", method="POST", path="/messages", words=_l("Send a message as yourself"), act=send, body=NEW,
        status=202,
        keyed="must", most_body=_most_body, problems=("not-permitted", "not-your-address", "no-room", "no-mail"), **_SHAPE,
    ),
    Operation(
        name="show_message", method="GET", path="/messages/{number}", words=_l("Show whether a message has left"), act=show,
        **_SHAPE,
    ),
    Operation(
        name="cancel_message", method="DELETE", path="/messages/{number}", words=_l("Take a message back while it waits"),
        act=cancel,
        problems=("conflict",), **_SHAPE,
    ),
)  # fmt: skip
