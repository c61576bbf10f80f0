"""Contact forms: editing contacts and groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import zip_longest

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict
from wtforms import BooleanField, FileField, HiddenField, StringField, TextAreaField

from webmail.errors import BadAddressError
from webmail.mail import Address
from webmail.mime import builder
from webmail.mime.formats.cards import pictures
from webmail.mime.formats.cards.vcard_details import MoreDetails, PostalAddress, changed_more, read_more, with_photo
from webmail.mime.formats.cards.vcard_edit import MOST_POINTS, USES, ContactDetails, ContactPoint
from webmail.mime.formats.cards.vcard_people import ImAddress, RelatedPerson
from webmail.web.formatting import lazy_text as _l
from webmail.web.forms.form_fields import AreaForm, MaxLength, required, trimmed

_MOST_NOTE = 8_000  # characters
_MOST_LISTED = 60_000


_DAYS = ("birthday", "anniversary")
_DAY = re.compile(r"(?:(\d{4})|-)-(\d\d)-(\d\d)")
_TYPED = re.compile(r"(\d{1,2})[/. -](\d{1,2})(?:[/. -](\d{4}))?")
_ISO = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")
_NOTHING = MoreDetails()
_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Form(AreaForm):
    """`uid` of a new card is generated with the form, so that submitting it twice creates only one."""

    revision = HiddenField()
    uid = HiddenField(filters=[lambda text: text if text and _UID.fullmatch(text) else ""])

    def mark(self, name: str, text: str) -> None:
        self[name].errors = [*self[name].errors, text]


def _one_line(text: str) -> str:
    return "".join(text.split())


class ContactForm(_Form):
    """A contact's form. Addresses, phone numbers and sites are repeated rows, with some empty ones to fill in."""

    given = StringField(_l("First name"), filters=[trimmed], validators=[MaxLength(100)])
    family = StringField(_l("Last name"), filters=[trimmed], validators=[MaxLength(100)])
    name = StringField(_l("Display name"), filters=[trimmed], validators=[MaxLength(190)])
    organisation = StringField(_l("Organisation"), filters=[trimmed], validators=[MaxLength(200)])
    role = StringField(_l("Job title"), filters=[trimmed], validators=[MaxLength(200)])
    honorific = StringField(_l("Prefix"), filters=[trimmed], validators=[MaxLength(100)])
    middle = StringField(_l("Middle names"), filters=[trimmed], validators=[MaxLength(100)])
    suffix = StringField(_l("Suffix"), filters=[trimmed], validators=[MaxLength(100)])
    department = StringField(_l("Department"), filters=[trimmed], validators=[MaxLength(200)])
    nickname = StringField(_l("Nickname"), filters=[trimmed], validators=[MaxLength(100)])
    birthday = StringField(_l("Birthday"), filters=[trimmed], validators=[MaxLength(60)])
    anniversary = StringField(_l("Anniversary"), filters=[trimmed], validators=[MaxLength(60)])
    busy_url = StringField(_l("Free/busy address"), filters=[trimmed], validators=[MaxLength(1000)])
    categories = StringField(_l("Categories"), filters=[trimmed], validators=[MaxLength(1000)])
    note = TextAreaField(_l("Note"), validators=[MaxLength(_MOST_NOTE)])
    photo = FileField(_l("Photo"))
    no_photo = BooleanField(_l("Remove the photo"))
    postals: list[PostalAddress]
    sites: list[str]
    ims: list[ImAddress]
    profiles: list[str]
    related: list[RelatedPerson]
    whole_organisation: str | None = None  # as the card has it, with its departments
    new_photo: bytes = b""
    emails: list[ContactPoint]
    phones: list[ContactPoint]
    email_errors: dict[int, str]  # by the number of the address, from 1

    @classmethod
    def showing(cls, existing: ContactDetails, revision: str = "", more: MoreDetails = _NOTHING) -> ContactForm:
        usual = f"{existing.given} {existing.family}".strip()  # then left empty, so that it follows changes of the two
        form = cls(
            formdata=None, given=existing.given, family=existing.family, name="" if existing.name == usual else existing.name,
            organisation=more.organisation if more.department else existing.organisation, role=existing.role, note=existing.note,
            revision=revision, uid=existing.uid,
            nickname=more.nickname, birthday=written_day(more.birthday), anniversary=written_day(more.anniversary),
            categories=", ".join(more.categories), honorific=more.prefix, middle=more.middle, suffix=more.suffix,
            department=more.department, busy_url=more.busy_url,
        )  # fmt: skip
        form.postals, form.sites = list(more.postals), list(more.sites)
        form.ims, form.profiles, form.related = list(more.ims), list(more.profiles), list(more.related)
        form.emails, form.phones, form.email_errors = list(existing.emails), list(existing.phones), {}
        return form

    @classmethod
    def sent(cls, fields: MultiDict[str, str], photo: FileStorage | None = None) -> ContactForm:
        """The form as submitted, with the file that came with it."""
        form = cls(formdata=fields)
        form.photo.data = photo
        form.emails, form.phones = (_points(fields, name) for name in ("email", "phone"))
        form.email_errors = {}
        form.postals, form.sites, form.profiles = _postals(fields), _texts(fields, "site"), _texts(fields, "profile")
        form.ims = [ImAddress(kind, text) for kind, text in _pairs(fields, "im")]
        form.related = [RelatedPerson(kind, text) for kind, text in _pairs(fields, "related")]
        return form

    @property
    def has_further(self) -> bool:
        """Whether one of the fields that are folded away is filled in, or wrong."""
        names = ("honorific", "middle", "suffix", "department", "nickname", "anniversary", "busy_url")
        lists = (self.sites, self.ims, self.profiles, self.related)
        return any(self[name].data or self[name].errors for name in names) or any(lists)

    @property
    def im_rows(self) -> list[tuple[str, str]]:
        """(service, address) of each row of the form, with an empty one."""
        return [*((one.service, one.address) for one in self.ims), ("", "")][:MOST_POINTS]

    @property
    def related_rows(self) -> list[tuple[str, str]]:
        return [*((one.kind, one.name) for one in self.related), ("", "")][:MOST_POINTS]

    @property
    def more(self) -> MoreDetails:
        """The further fields as submitted, not validated (see `check`). Never raises."""
        words = dict.fromkeys(" ".join(word.split())[:100] for word in (self.categories.data or "").split(","))
        return MoreDetails(
            nickname=self.nickname.data or "", birthday=read_day(self.birthday.data or ""),
            anniversary=read_day(self.anniversary.data or ""), postals=tuple(self.postals), sites=tuple(self.sites),
            categories=tuple(filter(None, words)), prefix=self.honorific.data or "", middle=self.middle.data or "",
            suffix=self.suffix.data or "", organisation=self.organisation.data or "", department=self.department.data or "",
            ims=tuple(self.ims), profiles=tuple(self.profiles), related=tuple(self.related),
            busy_url=_one_line(self.busy_url.data or ""),
        )  # fmt: skip

    def finish(self, card: str) -> str:
        """The card with the further fields and the photo."""
        before, more = read_more(card), self.more
        # a comma in a category can't be typed: what was shown and not touched stays
        if ", ".join(before.categories) == (self.categories.data or ""):
            more = replace(more, categories=before.categories)
        days = {name: getattr(before, name) for name in _DAYS if written_day(getattr(before, name)) == (self[name].data or "")}
        card = changed_more(card, replace(more, **days))
        if self.new_photo or self.no_photo.data:
            card = with_photo(card, self.new_photo)
        return card

    def check_more(self, existing: MoreDetails = _NOTHING) -> bool:
        """Whether the further fields are valid; words for a day that the card already has are accepted. Reads the photo."""
        for name in _DAYS:
            typed = self[name].data or ""
            if typed and typed != written_day(getattr(existing, name)) and not is_day(read_day(typed)):
                self.mark(name, _("Enter a day such as 3/2/1980, or 3/2 without a year."))
        file = self.photo.data
        data = file.stream.read(pictures.LARGEST_UPLOAD + 1) if file else b""
        self.new_photo = pictures.for_card(data) if data else b""
        if data and not self.new_photo:
            self.mark("photo", _("This photo can’t be read. Choose a JPEG, PNG, GIF or WebP picture of up to 20 MB."))
        return not any(self[name].errors for name in (*_DAYS, "photo"))

    @property
    def details(self) -> ContactDetails:
        """The submitted contact, not validated (see `check`). Never raises."""
        given, family = self.given.data or "", self.family.data or ""
        first = self.emails[0].value if self.emails else ""
        name = self.name.data or f"{given} {family}".strip() or self.organisation.data or first
        note = "\n".join((self.note.data or "").splitlines()).strip()
        organisation = self.organisation.data or ""
        if self.whole_organisation is not None:  # `finish` changes it together with its department
            organisation = self.whole_organisation
        return ContactDetails(
            name=name, given=given, family=family, emails=tuple(self.emails), phones=tuple(self.phones),
            organisation=organisation, role=self.role.data or "", note=note, uid=self.uid.data or "",
        )  # fmt: skip

    def check(self, existing: ContactDetails | None = None) -> bool:
        """Whether the form is valid. Invalid addresses that the card (`existing`) already has are accepted."""
        good = self.validate()
        self.whole_organisation = existing.organisation if existing else None
        before = {point.value for point in existing.emails} if existing else set()
        self.email_errors = {
            number: _("“%(value)s” is not an email address.", value=point.value[:80])
            for number, point in enumerate(self.emails, 1)
            if point.value not in before and not _is_address(point.value)
        }
        if not self.details.name:
            self.mark("name", _("Enter a name, an organisation or an address."))
            good = False
        return good and not self.email_errors

    @property
    def wrong(self) -> str:
        """The id of the first field that says what is wrong; empty where none is."""
        before = (self[name] for name in ("given", "family", "name"))  # the addresses
        names = next((field.id for field in before if field.errors), "")
        address = f"email-{min(self.email_errors)}" if self.email_errors else ""
        return names or address or next((field.id for field in self if field.errors), "")


def _texts(fields: MultiDict[str, str], name: str) -> list[str]:
    return [text for one in fields.getlist(name)[:MOST_POINTS] if (text := trimmed(one)[:500])]


def _pairs(fields: MultiDict[str, str], name: str) -> list[tuple[str, str]]:
    """Texts of this name, each with the word of its list before it."""
    pairs = zip_longest(fields.getlist(name)[:MOST_POINTS], fields.getlist(f"{name}_kind")[:MOST_POINTS], fillvalue="")
    return [(trimmed(kind)[:60], text) for value, kind in pairs if (text := trimmed(value)[:320])]


def _postals(fields: MultiDict[str, str]) -> list[PostalAddress]:
    columns = (fields.getlist(name)[:MOST_POINTS] for name in ("street", "code", "city", "region", "country", "postal_use"))
    found = []
    for street, *rest in zip_longest(*columns, fillvalue=""):
        lines = [trimmed(line) for line in street[:1000].splitlines()]
        code, city, region, country, use = (trimmed(one)[:200] for one in rest)
        found.append(PostalAddress("\n".join(filter(None, lines)), code, city, region, country, use if use in USES else ""))
    return [one for one in found if not one.is_empty]


def is_day(text: str) -> bool:
    """Whether this is a day as cards have it: 1980-02-03, or --02-03 without a year."""
    found = _DAY.fullmatch(text)
    try:
        return bool(found and date(int(found[1] or 2000), int(found[2]), int(found[3])))
    except ValueError:
        return False


def read_day(text: str) -> str:
    """What was typed as a day of a card; what is no day stays as it is."""
    if found := _TYPED.fullmatch(text):
        day, month, year = found.groups()
        return f"{year or '-'}-{int(month):02}-{int(day):02}"
    if found := _ISO.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
    return text


def written_day(text: str) -> str:
    """A day of a card as one types it."""
    found = _DAY.fullmatch(text)
    return "/".join(filter(None, (found[3], found[2], found[1]))) if found else text


def _points(fields: MultiDict[str, str], name: str) -> list[ContactPoint]:
    pairs = zip_longest(fields.getlist(name)[:MOST_POINTS], fields.getlist(f"{name}_use")[:MOST_POINTS], fillvalue="")
    cleaned = ((trimmed(value)[:320], use if use in USES else "") for value, use in pairs)
    return [ContactPoint(value, use) for value, use in cleaned if value]


def _is_address(text: str) -> bool:
    try:
        found = builder.parse_addresses(text)
    except BadAddressError:
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
        except BadAddressError as error:
            self.mark("people", _("“%(value)s” is not an email address.", value=error.value[:80]))
            good = False
        return good
