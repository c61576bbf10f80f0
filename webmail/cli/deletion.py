"""Command line of deletion: `flask --app wsgi accounts deletions` and `accounts delete`."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from webmail.accounts import deletion
from webmail.admin import account_deletion
from webmail.appointments import leaving as appointments_of
from webmail.auth import account_management
from webmail.cli.audit import noted
from webmail.cli.values import account_of, last_words, printable
from webmail.models import AuditAct, User
from webmail.web.current import settings


@click.command("deletions")
@with_appcontext
def list_deletions() -> None:
    """List who asks for their account to be deleted: address, since when (UTC), the reason if they gave one."""
    found = deletion.deletion_requests()
    for user in found:
        reason = printable(" ".join(user.deletion_reason.split()))
        click.echo(f"{user.address}\t{user.deletion_asked:%Y-%m-%d %H:%M}\t{reason}".rstrip())
    if not found:
        click.echo("Nobody has asked for their account to be deleted.")


@click.command("delete")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Delete it without asking for the address once more.")
@with_appcontext
def delete_account(address: str, yes: bool) -> None:
    """Delete an account for good: settings, contacts, drafts, messages that have not left, app passwords, sessions.

    The mailbox stays on the mail server, and the command says which folder to delete there."""
    user = account_of(address)
    if account_management.is_last_administrator(user):
        raise click.ClickException(last_words(user))
    click.echo(_what(user))
    if not yes and click.prompt("Type the address to delete the account", default="", show_default=False).strip() != user.address:
        raise click.ClickException("nothing was deleted: this is another address")
    try:
        done = account_deletion.delete(user, settings())
    except account_management.LastAdministratorError as error:  # another one went at this moment
        raise click.ClickException(last_words(user)) from error
    noted(AuditAct.ACCOUNT_DELETED, user.address, sessions=done.sessions)
    ended = f"{done.sessions} {'session' if done.sessions == 1 else 'sessions'} ended"
    click.echo(f"{user.address} is deleted; {ended}{_told(done.told, 'is' if done.told == 1 else 'are')}")
    if done.unsent:
        click.echo(f"{done.unsent} {'message that had' if done.unsent == 1 else 'messages that had'} not left will not be sent")
    click.echo(_folder(user))


def _what(user: User) -> str:
    name = f" ({printable(user.name)})" if user.name else ""
    asked = f"asked for this on {user.deletion_asked:%Y-%m-%d}" if user.deletion_asked else "did not ask for this"
    unsent = account_deletion.unsent_of(user)
    waiting = f"; {unsent} {'message has' if unsent == 1 else 'messages have'} not left yet" if unsent else ""
    return f"{user.address}{name} {asked}{waiting}{_told(appointments_of.told_by_leaving(user), 'would be')}"


def _told(people: int, said: str) -> str:
    who = f"{people} {'person who has an appointment' if people == 1 else 'people who have appointments'}"
    return f"; {who} {said} told that it does not take place" if people else ""


def _folder(user: User) -> str:
    if settings().sign_in != "accounts":
        return "their mailbox is on the mail server, where the account may still sign in: delete it there"
    return (
        f"their mail is still there: delete the folder {user.domain}/{user.local} in the mail server's folder of mailboxes, "
        "and give the address to nobody else before"
    )
