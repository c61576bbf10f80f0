"""What pages call settings: sections, fields with their hints, units, and values in a few words."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext as _

from webmail.establishments.page_settings import ALL, PageSetting, Unit, ValueKind
from webmail.web.formatting import long_date

_SHORT = 60  # characters of a value in a list


class SectionWords(NamedTuple):
    title: str
    about: str
    icon: str


class FieldWords(NamedTuple):
    label: str
    hint: str = ""


def section_words() -> dict[str, SectionWords]:
    return {
        "identity": SectionWords(_("Name, logo and colour"), _("How pages introduce your organisation."), "home"),
        "sign-in": SectionWords(_("Sign-in page"), _("Your words for people who sign in."), "shield"),
        "welcome": SectionWords(_("Welcome message"), _("The first message in a new mailbox."), "inbox"),
        "banner": SectionWords(_("Announcement"), _("A line on all pages, from one moment to another."), "talk"),
        "links": SectionWords(_("Links"), _("Your other services, one click away."), "link"),
        "help": SectionWords(_("Help desk"), _("Whom to call, and when somebody answers."), "help"),
        "languages": SectionWords(_("Languages"), _("Which languages pages offer."), "world"),
        "terms": SectionWords(_("Terms of use"), _("What everybody accepts before anything else."), "file"),
        "limits": SectionWords(_("Limits"), _("How large, how many, how often."), "marks"),
        "policies": SectionWords(_("Rules"), _("Passwords, sessions, and what people may do."), "shield"),
        "kept": SectionWords(_("How long things are kept"), _("The audit log, deleted accounts, large files."), "snoozed"),
        "data": SectionWords(_("Where your data is"), _("Who is responsible, which country, which other services."), "people"),
        "notices": SectionWords(
            _("Legal notice and accessibility"), _("The pages that the foot of the sign-in page leads to."), "book"
        ),
    }


def field_words() -> dict[str, FieldWords]:
    """By the name of the setting."""
    return {**_shown_words(), **_limit_words(), **_rule_words()}


def unit_words(unit: Unit) -> str:
    return {
        Unit.MEGABYTES: _("MB"), Unit.CHARACTERS: _("characters"), Unit.HOURS: _("hours"), Unit.MINUTES: _("minutes"),
        Unit.SECONDS: _("seconds"), Unit.DAYS: _("days"), Unit.RECIPIENTS: _("recipients"), Unit.ENTRIES: _("entries"),
        Unit.ROWS: _("rows"),
    }.get(unit, "")  # fmt: skip


def choice_words(name: str) -> dict[str, str]:
    """The choices of a setting, by their value."""
    known = {
        "language": {"fr": "Français", "en": "English"},
        "password_score": {
            "0": _("Any that is long enough"), "1": _("Weak"), "2": _("Withstands guessing on the sign-in page"),
            "3": _("Strong"), "4": _("Very strong"),
        },
        "recovery_address": {"off": _("Not asked for"), "ask": _("Asked for, at most once a month"), "required": _("Required")},
        "remote_images": {
            "ask": _("On a click"), "contacts": _("By themselves, from contacts"),
            "known": _("By themselves, from people already written to"), "always": _("Always"), "never": _("Never"),
        },
        "own_password_on_devices": {
            "never": _("Never: app passwords only"), "without-second-step": _("Without two-step verification only"),
            "always": _("Always"),
        },
        "presentation.accessibility_level": {
            "unassessed": _("Not assessed yet"), "none": _("Not compliant"), "partial": _("Partially compliant"),
            "full": _("Fully compliant"),
        },
    }  # fmt: skip
    return known[name]


def icon_words() -> dict[str, str]:
    """The icons that a link may have, by their name in static/icons.svg."""
    return {
        "": _("none"), "book": _("book"), "calendar": _("calendar"), "file": _("file"), "folder": _("folder"), "help": _("help"),
        "home": _("house"), "meal": _("meal"), "people": _("people"), "world": _("globe"),
    }  # fmt: skip


def value_words(setting: PageSetting, value: Any) -> str:
    """A value in a few words, for lists; None is what holds without one."""
    if value is None:
        return _("as before any change here")
    match setting.kind:
        case ValueKind.YES:
            return _("yes") if value else _("no")
        case ValueKind.NUMBER:
            return f"{value} {unit_words(setting.unit)}".strip()
        case ValueKind.CHOICE:
            return choice_words(setting.name).get(value, value)
        case ValueKind.TEXTS:
            return _cut(" / ".join(text for text in value.values() if text)) or _("empty")
        case ValueKind.LINKS:
            return _cut(", ".join(link["name"] for link in value)) or _("none")
        case ValueKind.LANGUAGES:
            return ", ".join(value)
        case ValueKind.MOMENT if value:
            return long_date(datetime.fromisoformat(value))
        case ValueKind.LOGO:
            return _("a picture") if value else _("none")
        case _:
            return _cut(str(value)) or _("empty")


def label_of(name: str) -> str:
    return field_words()[name].label if name in ALL else name


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


def _shown_words() -> dict[str, FieldWords]:
    empty_is_usual = _("Leave both empty for the usual text.")
    markdown = _("You can write titles (## Title), lists (- one), links ([words](address)) and **bold**.") + " " + empty_is_usual
    return {
        "name": FieldWords(_("Name"), _("On the sign-in page, in the top bar, and in mail from the service.")),
        "presentation.logo": FieldWords(
            _("Logo"), _("PNG, JPEG, WebP or GIF, at most 5 MB. It is made smaller. Not SVG, which can hold programs.")
        ),
        "presentation.accent": FieldWords(
            _("Colour"),
            _("Such as #1a63c9. It is made darker or lighter where text would be hard to read. Leave empty for the usual one."),
        ),
        "presentation.sentence": FieldWords(
            _("What this service is, in one sentence"),
            _("For people who come by a link without an account. Leave both empty for the usual sentence."),
        ),
        "presentation.sign_in": FieldWords(_("Words on the sign-in page")),
        "presentation.welcome_subject": FieldWords(_("Subject")),
        "presentation.welcome": FieldWords(
            _("Text"),
            _(
                "%(places)s are replaced by the person’s name and address, the name of your organisation, and the address of "
                "the help. Leave both empty to send no message.",
                places=", ".join(f"{{{one}}}" for one in ALL["presentation.welcome"].placeholders),
            ),
        ),
        "presentation.banner": FieldWords(_("Text"), _("Everybody sees it on every page, also before signing in.")),
        "presentation.banner_from": FieldWords(_("From"), _("Leave empty to begin immediately.")),
        "presentation.banner_until": FieldWords(_("Until"), _("Leave empty to end when you remove the text.")),
        "links": FieldWords(_("Links"), _("Lower numbers come first. Remove the name to remove a link.")),
        "support.text": FieldWords(_("Your words on the page Help"), _("An empty line begins a paragraph.")),
        "support.telephone": FieldWords(_("Telephone")),
        "support.hours": FieldWords(_("When somebody answers")),
        "presentation.languages": FieldWords(_("Languages offered")),
        "language": FieldWords(_("For browsers that ask for none of them")),
        "presentation.terms": FieldWords(
            _("Text"), _("Titles begin with #, lists with -. Leave both empty to ask nobody to accept terms.")
        ),
        "terms_version": FieldWords(_("Version"), _("Such as 2026-09. Everybody is asked again when it changes.")),
        "presentation.controller": FieldWords(
            _("Responsible for the data"), _("Who decides what data is used for: name and postal address.")
        ),
        "presentation.data_contact": FieldWords(_("Whom to ask"), _("An address or a telephone number.")),
        "presentation.data_officer": FieldWords(_("Data protection officer"), _("Name, and how to reach them.")),
        "presentation.host": FieldWords(_("Who runs the machine"), _("Name and postal address, as the legal notice shows them.")),
        "presentation.country": FieldWords(_("Country of the machine")),
        "presentation.backup_place": FieldWords(_("Where backups are"), _("On which machine, in which country.")),
        "presentation.other_services": FieldWords(
            _("Other services that get some of the data"), _("One per line. Those in config.toml are listed anyway.")
        ),
        "presentation.legal": FieldWords(_("Legal notice"), markdown),
        "presentation.privacy": FieldWords(
            _("To add below “Where your data is”"), _("The page itself is made from the settings.")
        ),
        "presentation.accessibility_level": FieldWords(
            _("What an audit of accessibility found"), _("The foot of the pages says it, as French law asks (RGAA).")
        ),
        "presentation.accessibility": FieldWords(_("Statement on accessibility"), markdown),
    }  # fmt: skip


def _limit_words() -> dict[str, FieldWords]:
    no_limit = _("0: no limit.")
    return {
        "message_limit_mb": FieldWords(
            _("Largest message"), _("Attachments count a third more. The mail server was set up for this at most.")
        ),
        "recipients_per_hour": FieldWords(_("Recipients per person in an hour"), no_limit),
        "recipients_per_day": FieldWords(_("Recipients per person in a day"), no_limit),
        "uploads_limit_mb": FieldWords(_("Files in one person’s drafts")),
        "import_limit_mb": FieldWords(_("Largest file of mail to import")),
        "collections_per_person": FieldWords(_("Calendars and address books per person")),
        "collection_items": FieldWords(_("Events or contacts in each of them")),
        "collections_limit_mb": FieldWords(_("All of one person’s calendars and address books together")),
        "transfers.file_mb": FieldWords(_("Large files: the largest file")),
        "transfers.transfer_mb": FieldWords(_("Large files: all files sent together")),
        "transfers.person_mb": FieldWords(_("Large files: what one person can have stored")),
        "transfers.recipients": FieldWords(_("Large files: recipients")),
        "deletion_days": FieldWords(_("A deleted account can be restored for")),
        "address_rest_days": FieldWords(_("The address of a deleted account is given to nobody for")),
        "audit_days": FieldWords(_("Audit log"), _("0: without limit.")),
        "transfers.days": FieldWords(_("Large files, unless the sender chooses otherwise")),
        "transfers.most_days": FieldWords(_("Large files, at most")),
    }


def _rule_words() -> dict[str, FieldWords]:
    not_offered = _("0: not offered.")
    return {
        "password_length": FieldWords(_("Shortest password")),
        "password_score": FieldWords(_("How hard to guess a password must be")),
        "recovery_address": FieldWords(_("A private address to get back in")),
        "second_step_grace_days": FieldWords(_("Time to set up two-step verification where it is required")),
        "mailed_second_step": FieldWords(_("A code by email may be the second step")),
        "vouchers": FieldWords(_("People may vouch for a colleague without their second step")),
        "trust_days": FieldWords(_("How long a trusted device is not asked for the second step"), not_offered),
        "lasting_days": FieldWords(_("How long “Stay signed in on this device” lasts"), not_offered),
        "session_idle_hours": FieldWords(_("Signed out without activity after")),
        "session_absolute_hours": FieldWords(_("Signed out in any case after")),
        "shared_idle_minutes": FieldWords(_("On a shared computer, signed out without activity after")),
        "new_browser_mail": FieldWords(_("People are told by email of a sign-in from a new browser")),
        "forgotten_password": FieldWords(_("People can choose a new password by a link or a code")),
        "own_name": FieldWords(_("People may change the name that others see")),
        "directory": FieldWords(_("People find each other in the directory")),
        "remote_images": FieldWords(_("Images in messages load"), _("People can choose otherwise, unless it is never.")),
        "own_password_on_devices": FieldWords(_("The account’s password opens calendars on phones")),
        "other_dav_servers": FieldWords(_("People may connect calendars of another server")),
        "api": FieldWords(_("People may use their account from scripts")),
        "calendar_subscriptions": FieldWords(_("People may subscribe to calendars by their address")),
        "transfers.guests": FieldWords(_("People may ask others for large files")),
        "sign_inside": FieldWords(
            _("Messages between colleagues are signed"),
            _("Of people who have set up encryption. They are asked for their passphrase."),
        ),
        "page_size": FieldWords(_("Rows on a page of messages")),
        "undo_seconds": FieldWords(_("Time to undo sending")),
    }
