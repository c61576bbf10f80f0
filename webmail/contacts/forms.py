"""Contact forms: editing contacts and groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, StringField, TextAreaField

from webmail.errors import BadAddress
from webmail.mail import Address
from webmail.mime import builder
from webmail.mime.formats.vcard_edit import MOST_POINTS, USES, ContactDetails, ContactPoint
from webmail.web.form_fields import AreaForm, MaxLength, required, trimmed

_MOST_NOTE = 8_000  # characters
_MOST_LISTED = 60_000


_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Form(AreaForm):
    """`uid` of a new card is generated with the form, so that submitting it twice creates only one."""

    revision = HiddenField()
    uid = HiddenField(filters=[lambda text: text if text and _UID.fullmatch(text) else ""])

    def mark(self, name: str, words: str) -> None:
        self[name].errors = [*self[name].errors, words]


class ContactForm(_Form):
    """A contact's form. Addresses and phone numbers are repeated rows (`emails`, `phones`), with some empty ones to fill in."""

    given = StringField(_l("First name"), filters=[trimmed], validators=[MaxLength(100)])
    family = StringField(_l("Last name"), filters=[trimmed], validators=[MaxLength(100)])
    name = StringField(_l("Display name"), filters=[trimmed], validators=[MaxLength(190)])
    organisation = StringField(_l("Organisation"), filters=[trimmed], validators=[MaxLength(200)])
    role = StringField(_l("Job title"), filters=[trimmed], validators=[MaxLength(200)])
    note = TextAreaField(_l("Note"), validators=[MaxLength(_MOST_NOTE)])
    emails: list[ContactPoint]
    phones: list[ContactPoint]
    email_errors: list[str]

    @classmethod
    def showing(cls, known: ContactDetails, revision: str = "") -> ContactForm:
        usual = f"{known.given} {known.family}".strip()  # then left empty, so that it follows changes of the two
        form = cls(
            formdata=None, given=known.given, family=known.family, name="" if known.name == usual else known.name,
            organisation=known.organisation, role=known.role, note=known.note, revision=revision, uid=known.uid,
        )  # fmt: skip
        form.emails, form.phones, form.email_errors = list(known.emails), list(known.phones), []
        return form

    @classmethod
    def sent(cls, fields: MultiDict[str, str]) -> ContactForm:
        """The form as submitted."""
        form = cls(formdata=fields)
        form.emails, form.phones = (_points(fields, name) for name in ("email", "phone"))
        form.email_errors = []
        return form

    @property
    def details(self) -> ContactDetails:
        """The submitted contact, not validated (see `check`). Never raises."""
        given, family = self.given.data or "", self.family.data or ""
        first = self.emails[0].value if self.emails else ""
        name = self.name.data or f"{given} {family}".strip() or self.organisation.data or first
        note = "\n".join((self.note.data or "").splitlines()).strip()
        return ContactDetails(
            name=name, given=given, family=family, emails=tuple(self.emails), phones=tuple(self.phones),
            organisation=self.organisation.data or "", role=self.role.data or "", note=note, uid=self.uid.data or "",
        )  # fmt: skip

    def check(self, known: ContactDetails | None = None) -> bool:
        """Whether the form is valid. Invalid addresses that the card (`known`) already has are accepted."""
        good = self.validate()
        before = {point.value for point in known.emails} if known else set()
        self.email_errors = [
            _("“%(value)s” is not an email address.", value=point.value[:80])
            for point in self.emails
            if point.value not in before and not _is_address(point.value)
        ]
        if not self.details.name:
            self.mark("name", _("Enter a name, an organisation or an address."))
            good = False
        return good and not self.email_errors


def _points(fields: MultiDict[str, str], name: str) -> list[ContactPoint]:
    pairs = zip_longest(fields.getlist(name)[:MOST_POINTS], fields.getlist(f"{name}_use")[:MOST_POINTS], fillvalue="")
    cleaned = ((trimmed(value)[:320], use if use in USES else "") for value, use in pairs)
    return [ContactPoint(value, use) for value, use in cleaned if value]


def _is_address(text: str) -> bool:
    try:
        found = builder.parse_addresses(text)
    except BadAddress:
        return False
    return len(found) == 1 and found[0].email == text


class GroupForm(_Form):
    """A group's form. `people` is an address list, one per line."""

    name = StringField(_l("Group name"), filters=[trimmed], validators=[required, MaxLength(190)])
    people = TextAreaField(_l("Members"), validators=[MaxLength(_MOST_LISTED)])
    addresses: Sequence[Address] = ()

    def check(self) -> bool:
        good = self.validate()
        try:
            self.addresses = builder.parse_addresses(self.people.data or "")
        except BadAddress as error:
            self.mark("people", _("“%(value)s” is not an email address.", value=error.value[:80]))
            good = False
        return good
