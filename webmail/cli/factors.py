"""Command line of ways in: `flask --app wsgi accounts factors`, `accounts app-passwords` and `accounts role`."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import AppGroup, with_appcontext

from webmail.auth import account_management
from webmail.auth.devices import app_passwords
from webmail.auth.factors import trusted_devices
from webmail.auth.factors.second_step import factors_of
from webmail.auth.recovery.factor_reset import reset_factors
from webmail.auth.sessions import mail_sessions
from webmail.auth.sessions.endings import end_everything
from webmail.cli.audit import noted
from webmail.cli.values import account_of, last_words, printable
from webmail.models import AuditAct, User
from webmail.web.current import settings
from webmail.web.security_mail import SecurityNotice, tell

factors = AppGroup("factors", help="Two-step verification of one person: what they have set up, and how to begin anew.")


@factors.command("list")
@click.argument("address")
def list_factors(address: str) -> None:
    """List a person's second factors: kind, name, when it was added and last used (UTC)."""
    user = account_of(address)
    found = factors_of(user)
    rows: list[tuple[str, str, datetime | None, datetime | None]]
    rows = [("app", app.name, app.created, app.used) for app in found.apps]
    rows += [("passkey" if key.passkey else "key", key.name, key.created, key.used) for key in found.keys]
    rows += [("mail", found.mail, None, None)] if found.mail else []
    for kind, name, created, used in rows:
        click.echo(f"{kind}\t{printable(name)}\t{_when(created)}\t{_when(used)}")
    if not found.count:
        click.echo(f"{user.address} has no second factor" + _required(user))
    else:
        click.echo(f"recovery codes left: {found.codes}; trusted browsers: {len(trusted_devices.for_user(user))}")


@factors.command("reset")
@click.argument("address")
def reset_all_factors(address: str) -> None:
    """Remove all of a person's second factors, for somebody who has lost them, and sign them out everywhere.

    The password alone then signs in: make sure that it is really this person who asks. They are told by mail."""
    user = account_of(address)
    count = reset_factors(user)
    noted(AuditAct.FACTORS_RESET, user.address)
    tell(user, SecurityNotice.FACTORS_RESET)
    click.echo(f"{count} second factor{'' if count == 1 else 's'} of {user.address} removed{_required(user)}; {signed_out(user)}")


passwords = AppGroup("app-passwords", help="Passwords of one person's telephones and mail programs.")


@passwords.command("list")
@click.argument("address")
def list_app_passwords(address: str) -> None:
    """List a person's app passwords: number, name, uses, when it was made, expires and was last used (UTC)."""
    user = account_of(address)
    found = app_passwords.for_user(user)
    for row in found:
        uses = ",".join(app_passwords.uses_of(row))
        ends = app_passwords.ends(row)
        click.echo(f"{row.id}\t{printable(row.name)}\t{uses}\t{_when(row.created)}\t{_when(ends)}\t{_when(row.used)}")
    if not found:
        click.echo(f"{user.address} has no app passwords")


@passwords.command("revoke")
@click.argument("address")
@click.argument("number", type=click.IntRange(1, 2**63 - 1), required=False)
@click.option("--all", "everything", is_flag=True, help="Revoke all of them.")
def revoke_app_passwords(address: str, number: int | None, everything: bool) -> None:
    """Revoke one app password of a person, by its number in the list, or --all, and close what it has open."""
    user = account_of(address)
    if (number is None) != everything:
        raise click.ClickException("give the number of one from `accounts app-passwords list`, or --all")
    numbers = [row.id for row in app_passwords.for_user(user)] if number is None else [number]
    gone = [row for each in numbers if (row := app_passwords.revoke(user, each))]
    if number is not None and not gone:
        raise click.ClickException(f"{user.address} has no app password {number}")
    for row in gone:
        mail_sessions.end_app_password(row.id, user.address, settings())
        noted(AuditAct.APP_PASSWORD_REVOKED, user.address, name=row.name)
        tell(user, SecurityNotice.APP_PASSWORD_REVOKED, row.name)
    click.echo(f"{len(gone)} app password{'' if len(gone) == 1 else 's'} of {user.address} revoked")


@click.command("role")
@click.argument("address")
@click.argument("role", type=click.Choice(account_management.ROLES))
@with_appcontext
def set_role(address: str, role: str) -> None:
    """Make a person an administrator, or an ordinary person again, and sign them out everywhere."""
    user = account_of(address)
    before = user.role
    try:
        changed = account_management.set_role(user, role)
    except account_management.LastAdministratorError as error:
        raise click.ClickException(last_words(user)) from error
    if not changed:
        click.echo(f"{user.address} is {_in_words(role)} already")
        return
    noted(AuditAct.ACCOUNT_ROLE_SET, user.address, role=role, before=before)
    click.echo(f"{user.address} is now {_in_words(role)}; {signed_out(user)}")


def signed_out(user: User) -> str:
    """End everything that somebody has open, and say so."""
    count, programs = end_everything(user, settings())
    words = f"{count} session{'' if count == 1 else 's'} ended"
    if programs is not None:
        return f"{words}, {programs} connection{'' if programs == 1 else 's'} of mail programs closed"
    return words if settings().sign_in != "accounts" else f"{words}; mail programs keep what they have open"


def _in_words(role: str) -> str:
    return "an administrator" if role == "admin" else "an ordinary person"


def _required(user: User) -> str:
    return f"; one is required from {_when(user.second_step_due)} on" if user.second_step_due else ""


def _when(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"
