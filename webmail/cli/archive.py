"""Command line of archiving: `flask --app wsgi archive run [ADDRESS]` does at once what the night would do."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from webmail import imap, preferences
from webmail.account import Account
from webmail.cli.audit import noted
from webmail.cli.values import account_of, printable
from webmail.errors import MailError
from webmail.filters.archiving import archive_log, archive_rules, dry_run, nights
from webmail.filters.archiving.archive_rules import ArchivePlan
from webmail.filters.archiving.archive_task import ArchiveTurn
from webmail.models import ArchiveRun, AuditAct, User
from webmail.web.current import settings


@click.group("archive")
def archive() -> None:
    """Archive old messages by people's rules."""


@archive.command("run")
@click.argument("address", required=False)
@click.option("--dry-run", "only_look", is_flag=True, help="Only say how many messages each rule concerns.")
@with_appcontext
def run(address: str | None, only_look: bool) -> None:
    """Carry out the rules of the person with this ADDRESS now, or everybody's. Recorded; people are told, and can undo it."""
    if not settings().token_key_file:
        raise click.ClickException("without token_key_file nobody but the person can sign in to the mail server as them")
    everybody = User.select().where(nights.who_archives(settings())).order_by(User.address)
    people = [account_of(address)] if address else list(everybody)
    failed = 0
    for user in people:
        try:
            _look(user) if only_look else _carry_out(user)
        except MailError as error:
            failed += 1
            click.echo(f"{user.address}: the mail server did not take this: {printable(str(error))}", err=True)
    if not people:
        click.echo("nobody has rules")
    if failed:
        raise click.ClickException(f"{failed} of {len(people)} could not be finished; run it again")


def _account(user: User) -> Account:
    return preferences.with_roles(settings().account(user.address), user)


def _carry_out(user: User) -> None:
    night = datetime.now(UTC).astimezone(ZoneInfo(settings().timezone)).date().isoformat()
    told = ArchiveTurn(user, _account(user), settings(), night).take()
    noted(AuditAct.ARCHIVED, user.address, messages=archive_log.messages(told) if told else 0)
    click.echo(f"{user.address}: {_run_text(told)}")
    for word, mailbox in archive_log.troubles_of(told) if told else []:
        click.echo(f"{user.address}: not in {printable(mailbox)}: {word}", err=True)


def _run_text(told: ArchiveRun | None) -> str:
    names = ("archived", "tagged", "trashed", "deleted")
    counts = [f"{getattr(told, name)} {name}" for name in names if told and getattr(told, name)]
    return ", ".join(counts) or "nothing to do"


def _look(user: User) -> None:
    with imap.connect(_account(user)) as connection:
        for plan in archive_rules.in_force(user, settings(), imap.mailboxes.overview(connection)):
            found = dry_run.look(connection, plan, user, settings())
            years = f" ({', '.join(f'{year}: {count}' for year, count in found.years)})" if found.years else ""
            click.echo(f"{user.address}: {_told(plan)}, received before {found.before}: {found.count}{years}")


def _told(plan: ArchivePlan) -> str:
    return f"{printable(plan.mailbox)}, {plan.action}"
