"""The form of a message being written."""

from __future__ import annotations

import re
from dataclasses import asdict

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField, IntegerField, MultipleFileField, StringField, TextAreaField
from wtforms.widgets import HiddenInput

from webmail.compose.drafts import Fields
from webmail.mail import Address, BadAddress
from webmail.mime import addresses, build

RECIPIENTS = ("to", "cc", "bcc")
_BARE_NAME = re.compile(r"[^\W_][\w.+-]*")


def one_line(text: str | None) -> str | None:
    """A list of addresses, one a line, as a field holds it: with commas."""
    if not text or not re.search(r"[\r\n]", text):
        return text
    lines = (line.strip().rstrip(",;").rstrip() for line in re.split(r"[\r\n]+", text))
    return ", ".join(line for line in lines if line)


def completed(text: str, domain: str) -> str:
    """The addresses with `@domain` behind each bare user name ("bob").

    Not where the next item has a name before its address: "Girard, Bob <bob@...>" is one person, written without quotes.
    """
    items = [item.strip() for item in addresses.split_list(text, ",;\n")]
    whole = []
    for item, following in zip(items, [*items[1:], ""], strict=True):
        bare = _BARE_NAME.fullmatch(item) and not ("<" in following and not following.startswith("<"))
        whole.append(f"{item}@{domain}" if bare else item)
    return ", ".join(item for item in whole if item) if whole != items else text


class ComposeForm(FlaskForm):
    """Fields carry what was typed; nothing is required, because a draft may lack anything. `check` is for sending."""

    class Meta:
        csrf = False  # checked for every POST of the application

    to = StringField(filters=[one_line])
    cc = StringField(filters=[one_line])
    bcc = StringField(filters=[one_line])
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

    def complete(self, domain: str) -> None:
        """Write out the recipients that are only named, where the establishment has a domain."""
        for name in RECIPIENTS if domain else ():
            self[name].data = completed(self[name].data or "", domain)

    def move_to_bcc(self) -> None:
        """Everybody's address into Bcc, where the others do not see it."""
        all_of_them = [(self[name].data or "").strip().rstrip(",;").rstrip() for name in ("bcc", "to", "cc")]
        self.bcc.data = ", ".join(text for text in all_of_them if text)
        self.to.data = self.cc.data = ""

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
