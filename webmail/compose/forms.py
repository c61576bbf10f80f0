"""Compose form: the fields of a message being written, their completion and validation."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import BooleanField, HiddenField, IntegerField, MultipleFileField, StringField, TextAreaField
from wtforms.widgets import HiddenInput

from webmail.compose import header_values
from webmail.compose.drafts.fields import NO_FIELDS, Fields, values_of
from webmail.compose.recipients import recipients
from webmail.errors import BadAddressError
from webmail.mail import Address
from webmail.mime import builder

RECIPIENTS = recipients.FIELDS
_WRITER = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")  # the longer ones from pages opened before an update; drop next release
_TURN = re.compile(r"[0-9]{1,15}")
_SIGNATURE = "-- "  # the line above one


def one_line(text: str | None) -> str | None:
    """An address list with commas instead of line breaks."""
    if not text or not re.search(r"[\r\n]", text):
        return text
    lines = (line.strip().rstrip(",;").rstrip() for line in re.split(r"[\r\n]+", text))
    return ", ".join(line for line in lines if line)


def without_gap(text: str) -> str:
    """The text without the blank that the page put into its first line, before or behind what was typed there."""
    line, end, rest = text.partition("\n")
    first, blank = line.rstrip("\r"), " "
    if first.startswith(blank):
        first = first[1:]
    elif first.endswith(blank) and first != _SIGNATURE:
        first = first[:-1]
    return first + line[len(line.rstrip("\r")) :] + end + rest


class ComposeForm(FlaskForm):
    """The compose form. Nothing is required, because drafts may be incomplete; `check` validates for sending."""

    class Meta:
        csrf = False  # checked globally for every POST

        def bind_field(self, form: FlaskForm, unbound_field: Any, options: dict[str, Any]) -> Any:
            """Without labels, which are the template's: WTForms would translate the names of all fields, by a catalogue that it
            reads for each request."""
            return unbound_field.bind(form=form, label="", **options)

    to = StringField(filters=[one_line])
    cc = StringField(filters=[one_line])
    bcc = StringField(filters=[one_line])
    reply_to = StringField(filters=[one_line])
    subject = StringField()
    body = TextAreaField()
    gap = HiddenField()  # set where the page put a blank before an empty first line of the text
    attachments = MultipleFileField()
    back = HiddenField()
    in_reply_to = HiddenField()
    references = HiddenField()
    source_mailbox = HiddenField()
    source_uidvalidity = IntegerField(widget=HiddenInput(), default=0)
    source_uid = IntegerField(widget=HiddenInput(), default=0)
    source_flag = HiddenField()
    identity = IntegerField(widget=HiddenInput(), default=0)
    applied = IntegerField(widget=HiddenInput(), default=0)  # the identity whose signature, Cc and Bcc are in the form
    format = StringField()
    priority = StringField()
    language = StringField()
    read_receipt = BooleanField()
    delivery_receipt = BooleanField()
    link_days = IntegerField(default=0)
    answer_by = StringField()
    protection = StringField()
    passphrase = StringField()  # of the keyring; never stored
    was_encrypted = HiddenField()  # set in an answer to an encrypted message
    encrypt_asked = HiddenField()  # set once it was asked whether to encrypt
    archive = HiddenField()  # set if the message replied to is to be archived, see views/archive_original.py
    writer = HiddenField()
    turn = HiddenField()  # which of the form's requests this is, written by its script
    revision = HiddenField()
    later = HiddenField()  # when to send: the name of a choice (outbox/send_later.py), or "at" for `day` and `hour`
    day = StringField()
    hour = StringField()

    def process(self, *args: Any, **kwargs: Any) -> None:
        super().process(*args, **kwargs)
        if self.gap.data:
            self.body.data, self.gap.data = without_gap(self.body.data or ""), ""

    @classmethod
    def holding(cls, fields: Fields, back: str, began_from: str = "") -> ComposeForm:
        """A form to render, with a random name; `began_from` is the revision of the draft it shows, "" for a new one."""
        own = {"back": back, "writer": secrets.token_hex(8), "revision": began_from, "applied": fields.identity}
        return cls(formdata=None, data={**values_of(fields), **own})

    @property
    def name(self) -> str:
        """The form's random name (the `writer` of drafts.store); "" if missing or malformed."""
        writer = self.writer.data or ""
        return writer if _WRITER.fullmatch(writer) else ""

    @property
    def number(self) -> int:
        """Which of the form's requests this is (the `turn` of drafts.store); 0 if that is not said."""
        turn = self.turn.data or ""
        return int(turn) if _TURN.fullmatch(turn) else 0

    def fields(self) -> Fields:
        return Fields(**{name: self[name].data or default for name, default in values_of(NO_FIELDS).items()})

    def take(self, fields: Fields) -> None:
        """Replace the form's values by these fields."""
        for name, value in values_of(fields).items():
            self[name].data = value

    def files(self) -> list[FileStorage]:
        return [f for f in self.attachments.data or [] if isinstance(f, FileStorage) and f.filename]

    def deduplicate(self) -> None:
        """Keep each recipient once."""
        self.fill_in(recipients.without_repetition(self.lists()))

    def lists(self) -> dict[str, str]:
        """The recipient fields (To, Cc, Bcc) by name."""
        return {name: self[name].data or "" for name in RECIPIENTS}

    def typed(self, name: str) -> str:
        """A field as it came, before filters and completion."""
        field = self[name]
        return str(field.raw_data[0]) if field.raw_data else field.data or ""

    def fill_in(self, lists: Mapping[str, str]) -> None:
        for name, text in lists.items():
            self[name].data = text

    def move_to_bcc(self) -> None:
        """Move all recipients to Bcc, where they can't see each other."""
        all_of_them = [(self[name].data or "").strip().rstrip(",;").rstrip() for name in ("bcc", "to", "cc")]
        self.bcc.data = ", ".join(text for text in all_of_them if text)
        self.to.data = self.cc.data = ""

    def check(self) -> bool:
        """Whether the form is valid for sending; adds errors to the fields that are not."""
        found: list[Address] = []
        self._pass_gate()
        for name in RECIPIENTS:
            if self[name].errors:
                continue
            try:
                found.extend(builder.parse_addresses(self[name].data or ""))
            except BadAddressError as error:
                self.mark(name, _("“%(value)s” is not an email address.", value=error.value[:80]))
        try:
            builder.parse_addresses(self.reply_to.data or "")
        except BadAddressError as error:
            self.mark("reply_to", _("“%(value)s” is not an email address.", value=error.value[:80]))
        if not found and not any(self[name].errors for name in RECIPIENTS):
            self.mark("to", _("Add at least one recipient."))
        return not any(field.errors for field in self)

    def _pass_gate(self) -> None:
        """Add errors for values that can't be headers. Hidden characters are removed, since users could not find them."""
        for name in (*RECIPIENTS, "reply_to", "subject"):
            field = self[name]
            match header_values.trouble_in(self.typed(name), addresses=name != "subject"):
                case header_values.HeaderFault.HIDDEN:
                    field.data = header_values.one_line(field.data or "")
                    self.mark(name, _("Line breaks or hidden characters were removed from this field. Check it and send again."))
                case header_values.HeaderFault.HEADER:
                    self.mark(name, _("This looks like a message header, such as “Bcc:”. Enter addresses only."))
                case header_values.HeaderFault.TOO_LONG:
                    self.mark(name, _("This is too long."))

    def mark(self, name: str, text: str) -> None:
        self[name].errors = [*self[name].errors, text]
