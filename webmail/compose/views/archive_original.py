"""Archive original: archives the message replied to when the reply is sent."""

from __future__ import annotations

import json

from flask import current_app
from flask_babel import gettext as _

from webmail import imap
from webmail.compose.forms import ComposeForm
from webmail.compose.outbox import resend
from webmail.errors import MailError
from webmail.imap.connections.commands import expand_uid_set
from webmail.mailbox.actions import apply_action
from webmail.mailbox.selection import Selection
from webmail.models import DraftRow, Outbox
from webmail.web.current import current_account, preferences
from webmail.web.notices import notify


def archives_answered(form: ComposeForm, *, is_requested: bool, sure: bool) -> bool:
    """Whether to archive the message replied to: `is_requested` by this button, or by an earlier one before a confirmation
    (`sure`)."""
    return form.source_flag.data == "\\Answered" and (is_requested or (sure and bool(form.archive.data)))


def archive_answered(sent: Outbox, row: DraftRow) -> None:
    """Archive the message replied to. A failure is notified and does not affect sending the reply."""
    if row.source_flag != "\\Answered" or not row.source_uid:
        return
    chosen = Selection(row.source_mailbox, row.source_uidvalidity, (row.source_uid,))
    try:
        with imap.connect(current_account(), row.source_mailbox) as connection:
            done = apply_action(connection, [chosen], "archive", archive_by=preferences().archive_by)
    except MailError as error:
        current_app.logger.info("draft %s: what it answers is not archived: %s", row.id, error)
        notify(_("The message you replied to could not be archived."), "caution")
        return
    for _do, mailbox, validity, _from, uids in json.loads(done.undo.dumps()):
        resend.answered_is_now(sent, row, mailbox, validity, expand_uid_set(uids)[0])
