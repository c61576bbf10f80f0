"""Command line of absences: `flask --app wsgi absence ADDRESS ...`, for a colleague who is ill and can't do it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TextIO
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from webmail import preferences, schedule
from webmail.account import Account
from webmail.cli.audit import noted
from webmail.cli.values import account_of, printable
from webmail.errors import MailError
from webmail.filters import store
from webmail.filters.absence import absence_change
from webmail.filters.absence.absence import INTERVALS, Absence, Audience
from webmail.filters.notifications.administrators import absence_changed
from webmail.filters.rules.rules import LONGEST_TEXT, BadRuleError
from webmail.models import AuditAct, User
from webmail.schedule import BadTimeError
from webmail.web.current import settings

_WRONG = {
    "text": f"the reply needs a text of at most {LONGEST_TEXT} characters: --text-file",
    "text_inside": f"the text for colleagues has at most {LONGEST_TEXT} characters",
    "subject": "the subject is one line of at most 300 characters",
    "until": "--until must be later than --from",
}


@click.command("absence")
@click.argument("address")
@click.option("--from", "since", default="", help="2026-12-01, 2026-12-01T08:00; in the person's time zone. Left out: now.")
@click.option("--until", default="", help="The same; a day alone counts whole. Left out: until it is turned off.")
@click.option("--subject", default=None, help='Of the reply. Left out: "Auto:" and the subject of the message.')
@click.option("--text-file", type=click.File(encoding="utf-8"), help="The reply; - for standard input. Left out: the last one.")
@click.option("--inside-file", type=click.File(encoding="utf-8"), help="Another reply, for people of the organisation.")
@click.option("--audience", type=click.Choice([str(one) for one in Audience]), help="Who outside is answered.")
@click.option("--days", type=click.Choice([str(one) for one in INTERVALS]), help="One person is answered once in so many days.")
@click.option("--off", is_flag=True, help="Turn automatic replies off.")
@click.option("--show", is_flag=True, help="Only say what is set.")
@with_appcontext
def absence(
    address: str,
    since: str,
    until: str,
    subject: str | None,
    text_file: TextIO | None,
    inside_file: TextIO | None,
    audience: str | None,
    days: str | None,
    off: bool,
    show: bool,
) -> None:
    """Turn a person's automatic replies on or off, or show them. They are told by mail."""
    user = account_of(address)
    account = _account(user)
    try:
        before = store.load(account).filters.absence
        if show:
            _show(user, before)
        elif off:
            _turn_off(user, account)
        else:
            start, end = _times(since, until, _zone(user))
            wanted = replace(
                before, on=True, start=start, until=end, text=_text(text_file, before.text),
                text_inside=_text(inside_file, before.text_inside), subject=before.subject if subject is None else subject,
                audience=Audience(audience or before.audience), days=int(days or before.days),
            )  # fmt: skip
            _turn_on(user, account, wanted)
    except BadRuleError as error:
        raise click.ClickException(_WRONG.get(error.what, str(error))) from error
    except MailError as error:
        words = printable(str(error))
        raise click.ClickException(f"the mail server did not take this, and nothing was changed: {words}") from error


def _account(user: User) -> Account:
    if settings().sieve is None:
        raise click.ClickException("there is no ManageSieve server: set sieve_host")
    if not settings().token_key_file:
        raise click.ClickException("without token_key_file nobody but the person can sign in to the mail server as them")
    return preferences.with_roles(settings().account(user.address), user)


def _zone(user: User) -> ZoneInfo:
    return ZoneInfo(preferences.for_user(user).time_zone or settings().timezone)


def _times(since: str, until: str, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    now = datetime.now(UTC)
    try:
        start = schedule.moment(since, "", zone, ends=False) or now.replace(second=0, microsecond=0)
        end = schedule.moment(until, "", zone, ends=True)
    except BadTimeError as error:
        raise click.ClickException("times are written 2026-12-01 or 2026-12-01T08:00") from error
    if end is not None and end <= now:
        raise click.ClickException("--until is over already")
    return start, end


def _text(file: TextIO | None, before: str) -> str:
    return file.read(LONGEST_TEXT + 2).replace("\r\n", "\n").strip("\n") if file else before


def _turn_on(user: User, account: Account, wanted: Absence) -> None:
    stored = absence_change.save(user, account, settings(), wanted)
    noted(AuditAct.ABSENCE_SET, user.address, day=wanted.until.strftime("%Y-%m-%dT%H:%MZ") if wanted.until else None)
    absence_changed(user, wanted)
    click.echo(f"{user.address} answers by itself {_period(wanted, _zone(user))}")
    if stored.other:
        click.echo(f"but not yet: another program's script is active, {printable(stored.other)}")
    if stored.paused:
        click.echo("but not yet: the person has paused all filters")


def _turn_off(user: User, account: Account) -> None:
    if not absence_change.end(user, account, settings()).on:
        click.echo(f"{user.address} had no automatic replies")
        return
    noted(AuditAct.ABSENCE_ENDED, user.address)
    absence_changed(user, None)
    click.echo(f"{user.address} no longer answers by itself")


def _show(user: User, found: Absence) -> None:
    state = _period(found, _zone(user)) if found.on else "off"
    subject = found.subject or "Auto: ..."
    lines = [("replies", state), ("subject", subject), ("outside", str(found.audience)), ("days", str(found.days))]
    for name, value in lines:
        click.echo(f"{name:8} {printable(value)}")
    for name, text in (("text", found.text), ("inside", found.text_inside)):
        for line in text.splitlines():
            click.echo(f"{name:8} {printable(line)}")


def _period(found: Absence, zone: ZoneInfo) -> str:
    start = " ".join(filter(None, schedule.day_and_hour(found.start, zone, ends=False)))
    until = " ".join(filter(None, schedule.day_and_hour(found.until, zone, ends=True)))
    return f"from {start or 'now'} until {until or 'it is turned off'} ({zone.key})"
