"""Command line of reported phishing: `flask --app wsgi quarantine list, search, pull, return, refuse, allow, senders`.

The worker searches and moves, as a task of the administrator who is named, as where a page starts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup

from webmail.cli.audit import noted
from webmail.cli.values import account_of, printable
from webmail.errors import LimitReachedError
from webmail.establishments import scope as scopes
from webmail.establishments.scope import EVERYTHING, Scope
from webmail.message import phishing_reports
from webmail.message.quarantine import finds, quarantine_tasks
from webmail.models import AuditAct, PhishingReport, User
from webmail.people import refused_senders
from webmail.people.refused_senders import OwnSenderError, UnusableSenderError
from webmail.tasks import store
from webmail.web.current import settings

quarantine = AppGroup("quarantine", help="Messages reported as phishing: found in other mailboxes, moved to junk and back.")
_ON_A_PAGE = 50


def _by_whom(command: Callable[..., Any]) -> Callable[..., Any]:
    words = "The administrator whose task it is, and in whose establishments it is done."
    command = click.option("--as", "address", required=True, help=words)(command)
    return click.argument("report", type=int)(command)


@quarantine.command("list")
def list_reports() -> None:
    """List the reports, the newest first: number, when (UTC), by whom, sender, subject, by whom it was handled."""
    number, more = 1, True
    while more:
        rows, more = phishing_reports.listing(number, EVERYTHING.condition())
        for row in rows:
            texts = (f"{row.created:%Y-%m-%d %H:%M}", row.user.address, row.sender, row.subject, row.handler or "-")
            click.echo("\t".join((str(row.id), *(printable(text) for text in texts))))
        number += 1


@quarantine.command("search")
@_by_whom
def search_copies(report: int, address: str) -> None:
    """Look for the same message in other mailboxes."""
    found, user, _scope = _found(report, address)
    _start(user, quarantine_tasks.SEARCH, found)
    noted(AuditAct.PHISHING_SEARCHED, found.sender.lower())


@quarantine.command("pull")
@_by_whom
def pull_copies(report: int, address: str) -> None:
    """Move all copies that were found, and are the same, to the junk of whose they are. They are told."""
    found, user, scope = _found(report, address)
    count = finds.want(found, scope.condition(), all_same=True)
    if not count:
        raise click.ClickException("no copy was found that is not moved yet: `quarantine search` looks for them")
    _start(user, quarantine_tasks.PULL, found)
    noted(AuditAct.PHISHING_PULLED, found.sender.lower(), messages=count)
    click.echo(f"{count} to move")


@quarantine.command("return")
@_by_whom
def return_copies(report: int, address: str) -> None:
    """Put back what `quarantine pull` moved."""
    found, user, scope = _found(report, address)
    count = finds.want_back(found, scope.condition())
    if not count:
        raise click.ClickException("nothing of it is in quarantine")
    _start(user, quarantine_tasks.RETURN, found)
    noted(AuditAct.PHISHING_PUT_BACK, found.sender.lower(), messages=count)
    click.echo(f"{count} to put back")


@quarantine.command("refuse")
@click.argument("sender")
def refuse_sender(sender: str) -> None:
    """Refuse mail of an address, or of a domain such as @example.com, for everybody."""
    try:
        entry, new = refused_senders.refuse(sender, EVERYTHING, "command", settings())
    except OwnSenderError as error:
        raise click.ClickException(f"{sender} is one of our own: disable the account that is misused") from error
    except UnusableSenderError as error:
        raise click.ClickException(f"{sender} is no address, and no domain such as @example.com") from error
    if new:
        noted(AuditAct.SENDER_REFUSED, entry)
    click.echo(f"mail from {entry} is refused{'' if new else ' already'}")


@quarantine.command("allow")
@click.argument("sender")
def allow_sender(sender: str) -> None:
    """Accept mail of an address or a domain again."""
    if not refused_senders.allow(sender.strip().lower(), EVERYTHING):
        raise click.ClickException(f"mail from {printable(sender)} is not refused; `quarantine senders` shows all")
    noted(AuditAct.SENDER_ALLOWED, sender.strip().lower())
    click.echo(f"mail from {printable(sender)} is accepted again")


@quarantine.command("senders")
def list_refused_senders() -> None:
    """List whose mail is refused for everybody."""
    number, more = 1, True
    while more:
        rows, more = refused_senders.listed(EVERYTHING, number, _ON_A_PAGE)
        for row in rows:
            click.echo(printable(row.entry))
        number += 1


def _found(number: int, address: str) -> tuple[PhishingReport, User, Scope]:
    user = account_of(address)
    scope = scopes.for_user(user)
    if scope is None:
        raise click.ClickException(f"{user.address} is no administrator")
    found = phishing_reports.of_scope(number, scope.condition())
    if found is None:
        raise click.ClickException(f"there is no report {number}; `quarantine list` shows all")
    return found, user, scope


def _start(user: User, kind: str, report: PhishingReport) -> None:
    try:
        store.start_once(user, kind, {"report": report.id})
    except LimitReachedError as error:
        raise click.ClickException(f"too many tasks of {user.address} are under way") from error
    click.echo(f"started; {user.address} sees how far it is on /tasks")
