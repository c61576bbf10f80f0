"""Catalogue of settings: the pages, what stands on each, the places elsewhere, and finding one by words of either language."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from flask_babel import LazyString

from webmail.models import User
from webmail.people import policies
from webmail.settings.blueprint import blueprint
from webmail.settings.forms import PreferencesForm
from webmail.web.current import settings
from webmail.web.formatting import LANGUAGES, written_in
from webmail.web.formatting import lazy_text as _l
from webmail.web.templates.addresses import url_for


class SettingsPage(NamedTuple):
    """A page of settings: its fields, or the endpoint of a page of another kind. `area`: without which it is not shown."""

    slug: str
    label: LazyString
    about: LazyString
    names: tuple[str, ...] = ()
    endpoint: str = "settings.show_page"
    area: str = ""

    @property
    def url(self) -> str:
        return url_for(self.endpoint, slug=self.slug) if self.names else url_for(self.endpoint)


class SettingsPlace(NamedTuple):
    """Something to set that has a page of its own."""

    endpoint: str
    label: LazyString
    about: LazyString
    words: LazyString
    listed: bool = True  # on the page of settings; else it is only found by searching


class FoundSetting(NamedTuple):
    label: str
    about: str
    url: str
    page: str  # the page that it stands on; "" if it is one


PAGES = (
    SettingsPage(
        "reading", _l("Reading"), _l("How messages are displayed, and what senders can find out about you."),
        ("layout", "page_size", "snippets", "conversations", "others_below", "prefer_text", "images", "receipts", "archive_by"),
    ),
    SettingsPage(
        "writing", _l("Writing"), _l("Message format, quoting and time to undo."),
        ("undo_seconds", "write_format", "quote", "without_signatures", "protect_encrypt", "protect_sign", "protect_kind"),
    ),
    SettingsPage(
        "signatures", _l("Signatures"), _l("The text at the end of your messages, formatted or plain."),
        endpoint="settings.list_signatures",
    ),
    SettingsPage(
        "identities", _l("Identities"), _l("The names and addresses you send from."), endpoint="settings.list_identities"
    ),
    SettingsPage("templates", _l("Templates"), _l("Texts you send often."), endpoint="settings.list_templates"),
    SettingsPage(
        "notifications", _l("Notifications"), _l("How you hear about new messages."), ("notifications", "refresh_minutes")
    ),
    SettingsPage(
        "absence", _l("Out of office"), _l("The reply that people get while you are away."), endpoint="filters.show_absence"
    ),
    SettingsPage(
        "forwarding", _l("Forwarding"), _l("Other addresses that get your mail."), endpoint="filters.show_forwarding"
    ),
    SettingsPage(
        "filters", _l("Filters"), _l("What happens to messages as they arrive: sorted, tagged, forwarded."),
        endpoint="filters.show_filters",
    ),
    SettingsPage(
        "archiving", _l("Automatic archiving"), _l("Where old messages go, each night."), endpoint="filters.show_archiving"
    ),
    SettingsPage(
        "calendar", _l("Calendar"), _l("Views, hours, week numbers and holidays."),
        (
            "calendar_view", "first_day", "hours_from", "hours_to", "second_zone", "week_numbers", "week_a", "school_zone",
            "todos_shown", "birthdays", "busy_shown", "ask_services", "pencil_in",
        ),
        area="calendar",
    ),
    SettingsPage(
        "working-hours", _l("Working hours"), _l("When and where you work, for colleagues who look for a time."),
        endpoint="settings.show_working_hours", area="calendar",
    ),
    SettingsPage(
        "reminders", _l("Reminders"), _l("Event reminders, and your daily agenda by email."),
        ("reminders", "remind_before", "remind_days", "remind_hour", "agenda_hour"), area="calendar",
    ),
    SettingsPage(
        "appearance", _l("Appearance"), _l("Colours, text size and spacing."), ("theme", "dark_mail", "text_size", "density")
    ),
    SettingsPage(
        "language-time", _l("Language and time"), _l("The language and time zone of your mail."), ("language", "time_zone")
    ),
    SettingsPage("shortcuts", _l("Shortcuts"), _l("Single keys for frequent actions."), ("shortcuts",)),
)  # fmt: skip

_GROUPS = (
    (_l("Messages"), ("reading", "writing", "signatures", "identities", "templates", "notifications")),
    (_l("Automatic actions"), ("absence", "forwarding", "filters", "archiving")),
    (_l("Events"), ("calendar", "working-hours", "reminders")),
    (_l("Display"), ("appearance", "language-time", "shortcuts")),
)  # of the pages

PLACES = (
    SettingsPlace("mailbox.list_tags", _l("Tags"), _l("Their names and colours."), _l("tag label category colour")),
    SettingsPlace(
        "mailbox.folders", _l("Folders"), _l("Create, rename, share and delete folders."),
        _l("folder mailbox favourite share sharing sent trash junk"),
    ),
    SettingsPlace(
        "collections.show", _l("Calendars and address books"),
        _l("Create, share and delete them, and restore what devices deleted."),
        _l("calendar agenda contacts book share sharing colour trash restore deleted CalDAV CardDAV"),
    ),
    SettingsPlace(
        "filters.show_senders", _l("Blocked and safe senders"),
        _l("The senders whose messages always go to Junk, and those whose never do."),
        _l("block spam junk whitelist blacklist allow sender"), False,
    ),
    SettingsPlace(
        "message.image_senders", _l("Senders allowed to show images"), _l("Senders whose remote images load automatically."),
        _l("image picture sender allow"),
    ),
    SettingsPlace(
        "auth.show_password", _l("Password"), _l("Change the password you sign in with."), _l("password security change secret"),
    ),
    SettingsPlace(
        "auth.show_security", _l("My account"), _l("Name, password, two-step verification, recovery address, your data."),
        _l("sign-in security two-factor second factor 2FA MFA TOTP authenticator app code key passkey recovery phone connected"),
    ),
    SettingsPlace(
        "accounts.show_name", _l("Name"), _l("Change the name that others see."), _l("display first last rename sender"), False
    ),
    SettingsPlace(
        "accounts.show_data", _l("My data"), _l("Export your mail, contacts and settings as one file."),
        _l("download takeout backup archive copy zip mbox GDPR privacy"), False,
    ),
    SettingsPlace(
        "accounts.show_deletion", _l("Delete my account"), _l("Ask your administrator to delete it."),
        _l("close cancel erase remove GDPR"), False,
    ),
    SettingsPlace(
        "services.index", _l("Connected services"), _l("Files, calendars and contacts that you have elsewhere."),
        _l("Google Drive Microsoft OneDrive Office Nextcloud FileSender cloud connect external consent"), False,
    ),
    SettingsPlace(
        "auth.show_devices", _l("Devices"), _l("See where you are signed in, and create passwords for phones and mail programs."),
        _l("session device sign out security app password phone thunderbird outlook imap smtp"),
    ),
)  # fmt: skip

# what people look for that the labels do not say
_WORDS = {
    "layout": _l("pane preview split beside below open"),
    "page_size": _l("number of rows"),
    "snippets": _l("snippet excerpt"),
    "conversations": _l("thread group"),
    "others_below": _l("thread replies folded beneath"),
    "prefer_text": _l("html slow"),
    "images": _l("pictures tracking privacy"),
    "receipts": _l("confirmation tracking privacy"),
    "archive_by": _l("filing year month"),
    "undo_seconds": _l("cancel delay unsend recall"),
    "write_format": _l("html bold markdown rich"),
    "quote": _l("quotation answer top bottom"),
    "without_signatures": _l("answer"),
    "protect_encrypt": _l("encryption openpgp smime pgp key"),
    "protect_sign": _l("signature encryption key"),
    "protect_kind": _l("openpgp smime certificate"),
    "notifications": _l("alert desktop new mail"),
    "refresh_minutes": _l("reload new mail"),
    "theme": _l("dark mode night colour contrast"),
    "dark_mail": _l("dark night colour html formatted newsletter white original"),
    "text_size": _l("font zoom bigger letters"),
    "density": _l("compact spacing lines"),
    "language": _l("English French translation"),
    "time_zone": _l("hour clock date"),
    "shortcuts": _l("keyboard keys"),
    "calendar_view": _l("month week day list agenda"),
    "first_day": _l("Monday Sunday Saturday begin"),
    "hours_from": _l("hours begin morning start"),
    "hours_to": _l("hours end evening"),
    "second_zone": _l("hour clock other country"),
    "school_zone": _l("school vacation zone A B C"),
    "week_numbers": _l("number calendar ISO"),
    "todos_shown": _l("task to do due deadline list"),
    "busy_shown": _l("free busy availability meeting privacy"),
    "ask_services": _l("free busy availability meeting guests colleagues connected services"),
    "pencil_in": _l("tentative invitation meeting automatic add contacts"),
    "week_a": _l("alternate odd even week"),
    "reminders": _l("alarm alert notification notice event calendar"),
    "remind_before": _l("alarm alert reminder default event calendar"),
    "remind_days": _l("alarm alert reminder default all day whole event calendar"),
    "remind_hour": _l("alarm alert reminder morning whole day event calendar"),
    "agenda_hour": _l("daily summary digest morning mail calendar"),
    "signatures": _l("signature name function"),
    "identities": _l("signature identity sender alias"),
    "templates": _l("template ready text canned reply"),
    "working-hours": _l("hours office telework part time week availability free busy meeting site"),
    "absence": _l("absence absent away holiday holidays vacation automatic reply auto-reply"),
    "forwarding": _l("forward redirect copy other address send on"),
    "archiving": _l("archive archives old messages clean up tidy delete automatically rule year month"),
    "filters": _l("filter rule sort sieve script automatic move block junk pause"),
}


@blueprint.app_template_global()
def settings_pages(user: User) -> tuple[SettingsPage, ...]:
    """Those of filters only where there is a server for them, and those of an area only for whom it is not hidden from."""
    hidden = policies.hidden(user)
    return tuple(one for one in PAGES if _is_there(one.endpoint, hidden) and one.area not in hidden)


@blueprint.app_template_global()
def settings_groups(user: User) -> list[tuple[LazyString, list[SettingsPage]]]:
    """The pages of settings in groups, in the same order."""
    pages = {one.slug: one for one in settings_pages(user)}
    groups = [(label, [pages[slug] for slug in slugs if slug in pages]) for label, slugs in _GROUPS]
    return [(label, some) for label, some in groups if some]


@blueprint.app_template_global()
def settings_places(user: User) -> list[SettingsPlace]:
    """Other pages on which something can be set, for the list of settings."""
    return [place for place in PLACES if place.listed and _is_there(place.endpoint, policies.hidden(user))]


@blueprint.app_template_global()
def setting_label(name: str) -> str:
    """What a preference is called, without the form that it is a field of."""
    return str(getattr(PreferencesForm, name).args[0])


def _is_there(endpoint: str, hidden: frozenset[str]) -> bool:
    blueprint = endpoint.partition(".")[0]
    if blueprint == "filters" and endpoint != "filters.show_archiving" and settings().sieve is None:
        return False
    return blueprint not in hidden


def page_named(slug: str, user: User) -> SettingsPage | None:
    return next((one for one in settings_pages(user) if one.slug == slug and one.names), None)


def url_of(name: str) -> str:
    """The page that a preference is on."""
    return next(one.url for one in PAGES if name in one.names)


def search(query: str, user: User) -> list[FoundSetting]:
    """The settings and places of which each word of the query begins a word, in English or French; by their labels first."""
    wanted = _folded_words(query)
    if not wanted:
        return []
    hits = [(rank, key) for key in _keys(user) if (rank := _rank(key, wanted)) is not None]
    return [_found(key) for _, key in sorted(hits, key=lambda hit: hit[0])]


def _rank(key: str, wanted: list[str]) -> int | None:
    """0 if the label has all the words, 1 if it takes the rest, None if there is one that is nowhere."""
    label, everything = _texts(key)
    return next((rank for rank, words in enumerate((label, everything)) if all(_begins(words, one) for one in wanted)), None)


def _begins(texts: Iterable[str], start: str) -> bool:
    return any(word.startswith(start) for word in texts)


def _keys(user: User) -> list[str]:
    places = [one.endpoint for one in PLACES if _is_there(one.endpoint, policies.hidden(user))]
    return [name for one in settings_pages(user) for name in one.names or (one.slug,)] + places


@lru_cache(maxsize=128)
def _texts(key: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the label, and all of them, in all languages."""
    label, rest = [], []
    for language in LANGUAGES:
        with written_in(language):
            found = _found(key)
            label += _folded_words(found.label)
            rest += _folded_words(f"{found.about} {found.page} {_more(key)}")
    return frozenset(label), frozenset([*label, *rest])


def _more(key: str) -> str:
    """What else is said of it: the choices, and the words for it."""
    place = next((one for one in PLACES if one.endpoint == key), None)
    if place:
        return str(place.words)
    if key not in _WORDS:
        return ""
    choices = getattr(PreferencesForm(formdata=None)._fields.get(key), "choices", None) or ()
    return " ".join([str(_WORDS[key]), *(str(choice.label) for choice in choices)])


def _found(key: str) -> FoundSetting:
    for place in PLACES:
        if place.endpoint == key:
            return FoundSetting(str(place.label), str(place.about), url_for(key), "")
    on = next(one for one in PAGES if key in one.names or key == one.slug)
    if not on.names:
        return FoundSetting(str(on.label), str(on.about), on.url, "")
    field = PreferencesForm(formdata=None)[key]
    return FoundSetting(str(field.label.text), str(field.description), f"{on.url}#{key}", str(on.label))


def _folded_words(text: str) -> list[str]:
    """The words of a text without case and accents."""
    low = unicodedata.normalize("NFKD", text[:1000]).casefold()
    return "".join(c if c.isalnum() else " " for c in low if not unicodedata.combining(c)).split()
