"""Sending: validates the form, asks about likely mistakes, and queues the message in the outbox."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import current_app, redirect
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.accounts import permitted
from webmail.compose import identities, send_checks, signatures
from webmail.compose.attachments import attachment_rows, drive_files
from webmail.compose.attachments.uploads import FilesGoneError
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.drafts import DraftChangedElsewhereError
from webmail.compose.drafts.fields import fields_of, normalised
from webmail.compose.encryption import protection_texts
from webmail.compose.encryption.protection_errors import ProtectionError
from webmail.compose.forms import ComposeForm
from webmail.compose.large_files import drive_facts, large_files
from webmail.compose.outbox import queue
from webmail.compose.recipients import recipients
from webmail.compose.views.archive_original import archive_answered
from webmail.compose.views.attachments.large_files import check_links
from webmail.compose.views.awaited import chosen_answer_day
from webmail.compose.views.conflicts import changed_elsewhere
from webmail.compose.views.drafts_folder import put_into_drafts
from webmail.compose.views.editor import (
    back_of,
    identity,
    my_identities,
    no_room_words,
    show_form,
    store,
)
from webmail.compose.views.encryption import protecting
from webmail.compose.views.encryption.protecting import needs_passphrase, passphrase_question
from webmail.compose.views.outbox.send_later import chosen_time, show_time, too_many_words
from webmail.compose.views.outbox.sent_notice import say_sent
from webmail.compose.views.recipients import mark_refused, mark_unsendable, whom_they_mean
from webmail.crypto.errors import CryptoError
from webmail.errors import LimitReachedError
from webmail.mail import Draft
from webmail.models import DraftRow
from webmail.people import display_names, policies
from webmail.rate_limits import TooManyRequestsError
from webmail.storage import StorageFullError
from webmail.web.current import current_account, current_user, sealed_credential, settings, wake
from webmail.web.formatting import file_size
from webmail.web.labels import name_objection


def send(form: ComposeForm, row: DraftRow, *, sure: bool, archiving: bool) -> Response:
    _check_sizes(form, row)
    if linked := large_files.has_any(row.id):
        check_links(form, row)
    if form.identity.data and not identities.named(my_identities(), form.identity.data):
        form.mark("identity", _("You can no longer send from the address you chose. Check the sender before sending."))
    me = identity(row)
    if (refused := display_names.objection(current_user(), me.name, settings(), me.email)) is not None:
        form.mark("identity", name_objection(refused))
    at = chosen_time(form)
    answer_due = chosen_answer_day(form, at)
    if unclear := whom_they_mean(form):
        return _back_to_form(form, row, unclear=unclear)
    if not form.check():
        return _back_to_form(form, row, **(passphrase_question() if form.passphrase.errors else {}))
    if needs_passphrase(row):
        return _back_to_form(form, row, **passphrase_question())
    try:
        draft = draft_message.as_draft(row, me, settings(), until=large_files.until(row, settings(), at))
    except FilesGoneError:
        return _file_missing(form, row)
    if unsendable := recipients.unsendable(draft, current_account()):
        mark_unsendable(form, unsendable)
        return _back_to_form(form, row)
    if refused_ones := permitted.refused(current_user(), (one.email for one in draft.recipients), settings()):
        mark_refused(form, refused_ones)
        return _back_to_form(form, row)
    form.archive.data = "1" if archiving else ""
    if coming := drive_files.coming(row, settings()):
        return _back_to_form(form, row, coming=coming)
    slips = [] if sure else recipients.likely_typos(current_user(), form.lists().values(), settings())
    asked = [] if sure else _cautions(row, draft, has_links=linked)
    if slips or asked:
        return _back_to_form(form, row, asked=[*([send_checks.SendWarning.SLIP] if slips else []), *asked], slips=slips)
    guarded = protecting.settle(form, draft, sure=sure)
    if guarded.question:
        return _back_to_form(form, row, **guarded.question)
    if linked and guarded.build is not None and drive_facts.load(large_files.of_draft(row.id)) is not None:
        return _not_on_drive(form, row)
    try:
        sent = queue.enqueue(
            row, replace(draft, autocrypt=guarded.autocrypt), settings(), sealed_credential(), at=at,
            dsn=bool(row.delivery_receipt), answer_due=answer_due, protect=guarded.build,
        )  # fmt: skip
    except (ProtectionError, CryptoError) as error:
        form.mark("protection", protection_texts.fault_words(error))
        return _back_to_form(form, row, error.status)
    except DraftChangedElsewhereError as error:
        return _overtaken(form, error.row, sure=sure, archiving=archiving)
    except TooManyRequestsError as error:
        form.mark("to", too_many_words(error))
        if error.again:
            show_time(form, error.again)
        return _back_to_form(form, row, offering=bool(error.again))
    except LimitReachedError:
        form.mark("answer_by", _("You are waiting for too many replies. Send it without a reminder, or let some be."))
        return _back_to_form(form, row)
    except FilesGoneError:
        return _file_missing(form, row)
    except StorageFullError as error:
        current_app.logger.error("draft %s is not sent: %s", row.id, error)
        form.mark("attachments", no_room_words(error))
        return _back_to_form(form, row, error.status)
    if archiving:
        archive_answered(sent, row)
    wake(sent)
    say_sent(sent, linked=linked)
    return redirect(back_of(form), 303)


def _cautions(row: DraftRow, draft: Draft, *, has_links: bool) -> list[send_checks.SendWarning]:
    """What is asked before the message leaves; words of the signature must not trigger it."""
    own_words = replace(draft, text=identities.unsigned(row.body, current_user()))
    signed = signatures.picture_keys(current_user()) if any(file.content_id for file in draft.attachments) else ()
    own = settings().own_domains(current_user().domain)
    return send_checks.cautions(own_words, *own, has_links=has_links, signed=signed)


def _check_sizes(form: ComposeForm, row: DraftRow) -> None:
    """Note what is too large of the message and its files."""
    if drafts.total_size(row) > policies.message_limit(current_user(), settings()):
        form.mark("attachments", _("This message is too large. Remove a file."))
    most = policies.attachment_limit(current_user())
    if (large := attachment_rows.too_large(row, most)) is not None:  # from a message, or a program's draft
        told = {"name": large.filename, "size": file_size(large.size), "limit": file_size(most)}
        form.mark("attachments", _("“%(name)s” (%(size)s) is too large. You can attach files of up to %(limit)s.", **told))


def _back_to_form(form: ComposeForm, row: DraftRow, status: int = 422, **more: Any) -> Response:
    """Nothing was sent: the form again, and what was typed goes into Drafts."""
    put_into_drafts(row)
    return show_form(form, row.id, row, status=status, **more)


def _file_missing(form: ComposeForm, row: DraftRow) -> Response:
    form.mark("attachments", _("A file is missing. Remove it and attach it again."))
    return _back_to_form(form, row)


def _not_on_drive(form: ComposeForm, row: DraftRow) -> Response:
    """The links of a drive are made as the message leaves, when nobody here can write into one that is signed or encrypted."""
    words = _("Large files of a signed or encrypted message can’t go to your online files. Have them sent from here instead.")
    form.mark("attachments", words)
    return _back_to_form(form, row)


def _overtaken(form: ComposeForm, row: DraftRow, *, sure: bool, archiving: bool) -> Response:
    """Handle a draft that was changed while its message was being built, so that nothing was sent."""
    same = fields_of(row) == normalised(form.fields())
    if not same and drafts.was_stored_by(row, form.name):  # this form's own autosave, with earlier text
        return send(form, store(row.id, form), sure=sure, archiving=archiving)
    if not same:
        form.revision.data = ""  # no longer the text that this form was rendered with
    return changed_elsewhere(row, form, "send")
