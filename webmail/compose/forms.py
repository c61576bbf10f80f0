"""The form of a message being written."""

from __future__ import annotations

from dataclasses import asdict

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField, IntegerField, MultipleFileField, StringField, TextAreaField
from wtforms.widgets import HiddenInput

from webmail.compose.drafts import Fields
from webmail.mail import Address, BadAddress
from webmail.mime import build

RECIPIENTS = ("to", "cc", "bcc")


class ComposeForm(FlaskForm):
    """Fields carry what was typed; nothing is required, because a draft may lack anything. `check` is for sending."""

    class Meta:
        csrf = False  # checked for every POST of the application

    to = StringField()
    cc = StringField()
    bcc = StringField()
    subject = StringField()
    body = TextAreaField()
    attachments = MultipleFileField()
    back = HiddenField()
    in_reply_to = HiddenField()
    references = HiddenField()
    source_mailbox = HiddenField()
    source_uidvalidity = IntegerField(widget=HiddenInput(), default=0)
    source_uid = IntegerField(widget=HiddenInput(), default=0)
    source_flag = HiddenField()

    @classmethod
    def holding(cls, fields: Fields, back: str) -> ComposeForm:
        return cls(formdata=None, data={**asdict(fields), "back": back})

    def fields(self) -> Fields:
        names = asdict(Fields())
        return Fields(**{name: self[name].data or default for name, default in names.items()})

    def files(self) -> list[FileStorage]:
        return [f for f in self.attachments.data or [] if isinstance(f, FileStorage) and f.filename]

    def check(self) -> bool:
        """Whether the recipients are complete and good; marks the fields that are not."""
        found: list[Address] = []
        for name in RECIPIENTS:
            try:
                found.extend(build.parse_addresses(self[name].data or ""))
            except BadAddress as error:
                self.mark(name, _("“%(value)s” is not an e-mail address.", value=error.value[:80]))
        if not found and not any(self[name].errors for name in RECIPIENTS):
            self.mark("to", _("Write at least one recipient."))
        return not any(field.errors for field in self)

    def mark(self, name: str, words: str) -> None:
        self[name].errors = [*self[name].errors, words]
