"""Data register: what is done with people's data, why, who gets it and how long it is kept (GDPR, article 30).

The times are those of the settings, and of the areas that forget by themselves: tests hold both to be complete and true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.config.settings import Settings

# after how many days areas that stand above this one forget by themselves: module and name of the constant
OF_AREAS = {
    "webmail.accounts.support:KEPT": 365,
    "webmail.appointments.rounds:FORGOTTEN": 30,
    "webmail.auth.devices.refused_changes:KEPT": 30,
    "webmail.calendar.guests.guest_replies:KEPT": 400,
    "webmail.collections.trash:KEPT": 30,
    "webmail.compose.awaited.awaited_replies:KEPT": 365,
    "webmail.compose.drafts.draft_cleanup:KEPT_DAYS": 30,
    "webmail.desk.cases:KEPT": 365,
    "webmail.filters.archiving.archive_log:_KEPT": 30,
    "webmail.people.handovers:KEPT": 400,
    "webmail.polls.forgetting:AFTER": 30,
    "webmail.system_mail.delivery:KEPT": 30,
    "webmail.tasks.store:KEPT": 7,
    "webmail.transfers.store:REMEMBERED": 90,
}


class KeptTime(NamedTuple):
    """What is kept, and how long. `settings`: the names of those that say so."""

    what: str
    long: str
    settings: tuple[str, ...] = ()


class Processing(NamedTuple):
    """One activity of the register."""

    name: str
    purpose: str
    people: str
    data: str
    receivers: str
    kept: tuple[KeptTime, ...]


def register(settings: Settings) -> list[Processing]:
    """The activities, in the order of the day. No query."""
    inside = _("Nobody else.")
    return [_sign_in(settings, inside), _mail(settings), _writing(settings), _calendars(settings), _outsiders(settings),
            _transfers(settings), _help(settings, inside), _audit(settings, inside)]  # fmt: skip


def kept_times(settings: Settings) -> list[KeptTime]:
    """All times of the register."""
    return [time for one in register(settings) for time in one.kept]


def _sign_in(settings: Settings, inside: str) -> Processing:
    provided = settings.oidc or settings.cas or settings.ldap or settings.proxy_sign_in
    return Processing(
        _("Accounts and signing in"),
        _("To know who may read which mailbox, and to protect accounts from others."),
        _("Everybody who has an account."),
        _(
            "Address, name, groups, password as a fingerprint that can’t be turned back, second factors, recovery address and "
            "telephone number if given, sessions and devices with network and browser."
        ),
        _("The services that people sign in with.") if provided else inside,
        (
            KeptTime(_("The account and all that belongs to it"), _("as long as the account exists")),
            KeptTime(_("A deleted account, to restore it"), _days(settings.deletion_days), ("deletion_days",)),
            KeptTime(
                _("The address of a deleted account, so that nobody else gets it"), _days(settings.address_rest_days),
                ("address_rest_days",),
            ),
            KeptTime(_("Who was given somebody else’s mailbox, after the end"), _fixed("webmail.people.handovers:KEPT")),
            KeptTime(_("A session without activity"), _hours(settings.session_idle_hours), ("session_idle_hours",)),
            KeptTime(
                _("A session on a shared computer, without activity"), _minutes(settings.shared_idle_minutes),
                ("shared_idle_minutes",),
            ),
            KeptTime(_("Any other session"), _hours(settings.session_absolute_hours), ("session_absolute_hours",)),
            KeptTime(_("“Stay signed in on this device”"), _days(settings.lasting_days, _off), ("lasting_days",)),
            KeptTime(_("A trusted device"), _days(settings.trust_days, _off), ("trust_days",)),
            KeptTime(
                _("App passwords of who no longer signs in by a provider"), _pauses(settings), ("provider_app_password_days",)
            ),
            KeptTime(_("What devices tried to change and could not"), _fixed("webmail.auth.devices.refused_changes:KEPT")),
        ),
    )  # fmt: skip


def _mail(settings: Settings) -> Processing:
    return Processing(
        _("Mail"),
        _("To send, receive, file and find messages."),
        _("Everybody who has an account, and those they write with."),
        _("Messages with sender, recipients, subject, text and attachments; folders, filters, automatic replies."),
        _("Those a message is addressed to, and the mail servers in between."),
        (
            KeptTime(_("Messages in folders"), _("until the person deletes them")),
            KeptTime(_("Messages in the trash"), _days(settings.trash_days, _until_deleted), ("trash_days",)),
            KeptTime(_("Messages in junk"), _days(settings.junk_days, _until_deleted), ("junk_days",)),
            KeptTime(_("What archiving did each night"), _fixed("webmail.filters.archiving.archive_log:_KEPT")),
        ),
    )  # fmt: skip


def _writing(_settings: Settings) -> Processing:
    return Processing(
        _("Writing and sending"),
        _("To keep drafts, send later, undo, and be reminded of what nobody answered."),
        _("Everybody who has an account, and those they write to."),
        _("Drafts with attachments, messages on their way, addresses written to, awaited replies."),
        _("Those a message is addressed to."),
        (
            KeptTime(
                _("Drafts that nobody touches; they stay in the folder Drafts"),
                _fixed("webmail.compose.drafts.draft_cleanup:KEPT_DAYS"),
            ),
            KeptTime(_("Notes about messages that were sent"), _fixed("webmail.compose.drafts.draft_cleanup:KEPT_DAYS")),
            KeptTime(_("Awaited replies, once settled"), _fixed("webmail.compose.awaited.awaited_replies:KEPT")),
            KeptTime(_("Finished tasks: imports, exports"), _fixed("webmail.tasks.store:KEPT")),
        ),
    )  # fmt: skip


def _calendars(_settings: Settings) -> Processing:
    return Processing(
        _("Calendars, tasks and contacts"),
        _("To plan, meet and find people."),
        _("Everybody who has an account, and the people in their contacts and events."),
        _("Events, tasks and contacts with what is written in them; with whom they are shared; bookings of rooms."),
        _("Those it is shared with, invited guests, and the person’s own devices."),
        (
            KeptTime(_("Events, tasks and contacts"), _("until the person deletes them")),
            KeptTime(_("Answers of invited guests"), _fixed("webmail.calendar.guests.guest_replies:KEPT")),
            KeptTime(_("What was deleted, to bring it back"), _fixed("webmail.collections.trash:KEPT")),
        ),
    )  # fmt: skip


def _outsiders(_settings: Settings) -> Processing:
    return Processing(
        _("Appointments and polls"),
        _("So that people without an account can choose a time."),
        _("People without an account who answer."),
        _("Name, address, what they chose and wrote."),
        _("Who asked them."),
        (
            KeptTime(_("Names and addresses, after the last appointment"), _fixed("webmail.appointments.rounds:FORGOTTEN")),
            KeptTime(_("Names, addresses and comments, after the last date of a poll"), _fixed("webmail.polls.forgetting:AFTER")),
        ),
    )  # fmt: skip


def _transfers(settings: Settings) -> Processing:
    usual, most = _days(settings.transfers.days), _days(settings.transfers.most_days)
    return Processing(
        _("Large files"),
        _("To send and receive files that are too large for mail."),
        _("Everybody who has an account, and those who get or give files."),
        _("Files, their names, the recipients’ addresses, when a file was fetched and from which network."),
        _("Anyone who has the link."),
        (
            KeptTime(_("Files, unless the sender chooses otherwise"), usual, ("transfers.days",)),
            KeptTime(_("Files, at most"), most, ("transfers.most_days",)),
            KeptTime(_("What happened to files, after the end"), _fixed("webmail.transfers.store:REMEMBERED")),
        ),
    )  # fmt: skip


def _help(_settings: Settings, inside: str) -> Processing:
    return Processing(
        _("Help and notifications"),
        _("To answer who asks for help, and to tell people what concerns their account."),
        _("Everybody who asks for help."),
        _("What they wrote, how to reach them, browser and network; messages of the service itself."),
        inside,
        (
            KeptTime(_("Requests for help"), _fixed("webmail.accounts.support:KEPT")),
            KeptTime(_("What administrators answered at their desk"), _fixed("webmail.desk.cases:KEPT")),
            KeptTime(_("Messages of the service itself, once sent"), _fixed("webmail.system_mail.delivery:KEPT")),
        ),
    )  # fmt: skip


def _audit(settings: Settings, inside: str) -> Processing:
    return Processing(
        _("Audit log"),
        _("To find out what happened to an account, and who changed what."),
        _("Everybody who has an account."),
        _("Who did what, when and from which network. Never passwords, subjects or texts of messages."),
        inside,
        (KeptTime(_("Entries of the log"), _days(settings.audit_days, _for_ever), ("audit_days",)),),
    )


def _fixed(name: str) -> str:
    return _days(OF_AREAS[name])


def _days(count: int, never: Callable[[], str] | None = None) -> str:
    return never() if not count and never else ngettext("%(num)d day", "%(num)d days", count)


def _hours(count: float) -> str:
    days, rest = divmod(count, 24)
    if count >= 48 and not rest:
        return _days(int(days))
    return ngettext("%(num)d hour", "%(num)d hours", round(count)) if count >= 1 else _minutes(count * 60)


def _minutes(count: float) -> str:
    return ngettext("%(num)d minute", "%(num)d minutes", max(round(count), 1))


def _pauses(settings: Settings) -> str:
    return _days(settings.provider_app_password_days, _for_ever)


def _off() -> str:
    return _("not offered")


def _until_deleted() -> str:
    return _("until the person deletes them")


def _for_ever() -> str:
    return _("without limit")
