"""What the worker does for calendars."""

from __future__ import annotations

import peewee as pw

from webmail.calendar import birthdays, objects
from webmail.calendar.files import import_task
from webmail.calendar.free_busy import outside_times, service_times
from webmail.calendar.guests import (
    automatic_rows,
    guest_links,
    guest_reminders,
    guest_replies,
    reminder_rounds,
    scheduling_inbox,
    sent_invitations,
)
from webmail.calendar.notifications import guest_letters, room_letters
from webmail.calendar.notifications import reminders as calendar_letters
from webmail.calendar.reminders import daily_agenda, reminders
from webmail.calendar.rooms import bookings, room_notices
from webmail.calendar.subscriptions import rounds, subscriptions
from webmail.calendar.todos import todo_rows
from webmail.config.settings import Settings
from webmail.contacts import categories
from webmail.tasks.periodic import AreaWork, Periodic, PeriodicRun, swept


def _remind(run: PeriodicRun) -> None:
    """Remind people of events, and send the agendas of the day that they asked for."""
    with run.mailing():
        messages = reminders.sweep(run.settings, calendar_letters.reminder_writer(run.settings))
        messages += daily_agenda.sweep(run.settings, calendar_letters.agenda_writer(run.settings))
    run.deliver_system_mail(messages)


def _to_remind(_settings: Settings) -> list[pw.Query]:
    return [*reminders.pending(), daily_agenda.pending()]


def _remind_guests(run: PeriodicRun) -> None:
    with run.mailing():
        reminder_rounds.sweep(lambda user: guest_letters.posting(user, run.settings))


def _write_of_rooms(run: PeriodicRun) -> None:
    with run.mailing():
        messages = room_letters.sweep(run.settings)
    run.deliver_system_mail(messages)


def _keep_birthdays(settings: Settings) -> None:
    """Fill calendars of birthdays, and the index of categories, from the contacts that were there before."""
    categories.fill()
    birthdays.sweep(settings)


def _index_todos(settings: Settings) -> None:
    todo_rows.fill(objects.zone_of(settings.timezone))


def _extend_index(settings: Settings) -> None:
    objects.extend_index(objects.zone_of(settings.timezone))
    bookings.extend(objects.zone_of(settings.timezone))


WORK = AreaWork(
    kinds=(import_task.CHECK_KIND, import_task.KIND, import_task.UNDO_KIND),
    periodic=(
        Periodic("reminders", _remind, reminders.EVERY, pending=_to_remind),
        Periodic(
            "guest reminders",
            _remind_guests,
            reminder_rounds.EVERY,
            only_if=lambda settings: settings.token_key_file,
            pending=lambda _settings: [guest_reminders.to_look_at()],
        ),
        Periodic("room letters", _write_of_rooms, room_notices.EVERY, pending=lambda _settings: [room_notices.waiting()]),
        # each address is claimed by one worker
        Periodic(
            "busy times outside",
            swept(lambda _settings: outside_times.sweep()),
            outside_times.EVERY,
            only_if=lambda settings: settings.calendar_subscriptions,
            by_all=True,
            pending=lambda _settings: [outside_times.waiting()],
        ),
        # each guest is claimed by one worker
        Periodic(
            "busy times at services",
            swept(service_times.sweep),
            service_times.EVERY,
            only_if=lambda settings: bool(settings.services),
            by_all=True,
            pending=lambda _settings: [service_times.waiting()],
        ),
        Periodic("todos", swept(_index_todos), pending=lambda _settings: [todo_rows.to_fill()]),
        Periodic("birthdays", swept(_keep_birthdays), pending=birthdays.pending),
        # each calendar is claimed by one worker
        Periodic(
            "subscriptions",
            lambda run: rounds.sweep(run.settings),
            rounds.EVERY,
            only_if=lambda settings: settings.calendar_subscriptions,
            by_all=True,
            pending=lambda _settings: [subscriptions.turns.waiting()],
        ),
    ),
    clean_up=(_extend_index,),
    expire=(
        sent_invitations.forget_old,
        automatic_rows.forget_old,
        bookings.forget_old,
        scheduling_inbox.forget_old,
        guest_links.forget_old,
        guest_replies.forget_old,
        outside_times.forget_old,
    ),  # fmt: skip
)
