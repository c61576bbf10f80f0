"""Command line: `flask --app wsgi accounts ...`, `groups ...`, `support ...`, `audit`, `migrate`, `doctor` ...; 1 on failure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from webmail.admin.people import creation
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.record import COMMAND
from webmail.appointments.leaving import told_by_leaving
from webmail.auth import account_management
from webmail.auth.new_accounts import NewFault
from webmail.auth.passwords import hashing
from webmail.auth.providers.directory import decide_by_hand
from webmail.cli.absence import absence
from webmail.cli.administration.accounts import add_many, change_many, list_homes, rename_account
from webmail.cli.administration.aliases import alias
from webmail.cli.administration.handovers import handovers
from webmail.cli.administration.keys import keys
from webmail.cli.administration.lists import lists
from webmail.cli.administration.passwords import typed_password
from webmail.cli.administration.people_files import export_people, import_people
from webmail.cli.administration.quarantine import quarantine
from webmail.cli.administration.school_year import begin_school_year
from webmail.cli.administration.sending import allow_address, disallow_address, list_allowed, refuse_reserved, set_limits
from webmail.cli.administration.settings import settings as page_settings
from webmail.cli.archive import archive
from webmail.cli.audit import audit, noted
from webmail.cli.backup import backup
from webmail.cli.dav import dav
from webmail.cli.deletion import delete_account, list_deletions
from webmail.cli.deputies import deputy
from webmail.cli.directory import directory
from webmail.cli.dns import dns
from webmail.cli.factors import factors, set_role, signed_out
from webmail.cli.factors import passwords as app_passwords
from webmail.cli.forwarding import forwarding
from webmail.cli.groups import groups
from webmail.cli.installation.doctor import doctor
from webmail.cli.installation.move import move
from webmail.cli.installation.old_servers import import_from
from webmail.cli.installation.restores import restores
from webmail.cli.installation.version import version
from webmail.cli.providers import disconnect_account
from webmail.cli.rooms import rooms
from webmail.cli.storage import storage
from webmail.cli.support import support
from webmail.cli.transfers import transfers
from webmail.cli.values import account_of, address_of, bytes_of, last_words, name_of, printable, room_of
from webmail.database.connection import DATABASE_AWAY, advice
from webmail.database.migrate import migrate as migrate_database
from webmail.filters.forwarding import forward_targets
from webmail.mailbox.quota import quota_request
from webmail.models import AuditAct, LinkedAccount, User
from webmail.people import own_name
from webmail.web.current import settings
from webmail.web.templates import template_cache

_FAULTS = {
    NewFault.ADDRESS: "can't be the address of an account: letters, figures and . _ - ' alone, and no + in it",
    NewFault.TAKEN: "is another address of an account, a list's or that of something else",
    NewFault.RESTS: "was somebody else's not long ago, and is given to nobody yet (address_rest_days)",
    NewFault.NAME: "can't have this name",
}


def register(group: click.Group) -> None:
    about_people = (accounts, groups, handovers, keys, lists, quarantine, support, absence, archive, forwarding)
    for command in (
        migrate,
        *about_people,
        rooms,
        page_settings,
        dav,
        storage,
        transfers,
        audit,
        backup,
        doctor,
        dns,
        move,
        restores,
        import_from,
        version,
    ):
        _in_sentences(command)
        group.add_command(command)


def _in_sentences(command: click.Command) -> None:
    """Let a command, and those of a group, end with a sentence and exit code 1 when the database can't be used."""
    for each in getattr(command, "commands", {}).values():
        _in_sentences(each)
    work = command.callback
    if work is None or hasattr(work, "in_sentences"):
        return

    @functools.wraps(work)
    def told(*args: Any, **named: Any) -> Any:
        try:
            return work(*args, **named)
        except DATABASE_AWAY as error:
            raise click.ClickException(f"the database {advice(error)}") from error

    told.in_sentences = True  # type: ignore[attr-defined]
    command.callback = told


@click.command()
@with_appcontext
def migrate() -> None:
    """Bring the database schema up to date, and compile the pages for the next start. Safe to run at every start."""
    here = current_app._get_current_object()  # type: ignore[attr-defined]
    applied = [
        *here.extensions.get("applied", []),
        *migrate_database(click.echo),
    ]  # the start told its own
    template_cache.fill(here)
    done = f"{len(applied)} migration{'' if len(applied) == 1 else 's'} applied" if applied else "nothing to do"
    click.echo(f"{done}: the database is up to date")


accounts = AppGroup("accounts", help="People who can sign in, and their passwords if Traboule keeps them.")
for _more in (
    factors, directory, disconnect_account, app_passwords, set_role, deputy, list_deletions, delete_account,
    add_many, change_many, rename_account, list_homes, alias, set_limits, allow_address, disallow_address, list_allowed,
):  # fmt: skip
    accounts.add_command(_more)
for _more in (import_people, export_people, begin_school_year):
    accounts.add_command(_more)


def password_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")(command)


def lasting_option(command: Callable[..., Any]) -> Callable[..., Any]:
    words = "Let the person keep this password, instead of choosing their own at the next sign-in."
    return click.option("--lasting", is_flag=True, help=words)(command)


@accounts.command("add")
@click.argument("address")
@click.option("--name", default="", help="The person's name, as others see it.")
@click.option("--quota", default="1G", show_default=True, help="Mail quota, such as 500M or 2G; 0 for no limit.")
@click.option("--admin", is_flag=True, help="Make this person an administrator.")
@click.option("--no-password", is_flag=True, help="Ask for none: the person signs in by the directory or another provider.")
@lasting_option
@password_option
def add_account(address: str, name: str, quota: str, admin: bool, no_password: bool, lasting: bool, password_stdin: bool) -> None:
    """Add an account, and ask for a password for its first sign-in."""
    address = address_of(address)
    person = NewPerson(address, name_of(name), bytes_of(quota), role="admin" if admin else "person", lasting=lasting)
    if User.get_or_none(User.address == address):
        raise click.ClickException(f"{address} already exists")
    refuse_reserved(address)
    if fault := creation.fault_of(person):
        raise click.ClickException(f"{address} {_FAULTS[fault]}")
    ours = creation.keeps_passwords(settings())
    person.letters = typed_password(password_stdin) if ours and not no_password else ""
    creation.create([person], COMMAND, settings())
    why = "they sign in by a provider" if ours else "the mail server keeps passwords here"
    click.echo(f"added {address}" + ("" if person.letters else f"; no password asked for: {why}"))


@accounts.command("list")
def list_accounts() -> None:
    """List all accounts: address, state, role, quota, name, and providers that sign them in."""
    users = list(User.select().where(User.role != account_management.GROUP).order_by(User.domain, User.local))
    if not users:
        click.echo("No accounts yet.")
    providers = _providers()
    for user in users:
        state = "active" if user.active else "disabled"
        room = room_of(user.quota_bytes)
        ways = providers.get(user.id, "")
        click.echo(f"{user.address}\t{state}\t{user.role}\t{room}\t{printable(user.name)}\t{ways}".rstrip())


def _providers() -> dict[int, str]:
    """By what else people sign in than a password of ours, by the number of their account. One SELECT."""
    found: dict[int, list[str]] = {}
    for link in LinkedAccount.select().order_by(LinkedAccount.id):
        found.setdefault(link.user_id, []).append(link.provider)
    return {number: ", ".join(names) for number, names in found.items()}


@accounts.command("name")
@click.argument("address")
@click.argument("name")
def set_name(address: str, name: str) -> None:
    """Change a person's name, as others see it: `accounts name alice "Alice Leroy"`; "" for none.

    It takes the place of a name that the person chose themselves."""
    user = account_of(address)
    own_name.put(user, name_of(name))
    noted(AuditAct.ACCOUNT_NAMED, user.address)
    click.echo(f"{user.address} is now called {user.name}" if user.name else f"{user.address} now has no name")


@accounts.command("password")
@click.argument("address")
@lasting_option
@password_option
def set_password(address: str, lasting: bool, password_stdin: bool) -> None:
    """Set a password for a person's next sign-in, and sign them out everywhere."""
    if settings().sign_in != "accounts":
        raise click.ClickException("the mail server keeps the passwords here (sign_in = imap): change it there")
    user = account_of(address)
    first = not user.password
    account_management.set_password(user, _hash(password_stdin), must_change=not lasting)
    noted(AuditAct.ACCOUNT_PASSWORD_SET, user.address)
    click.echo(f"new password for {user.address}; {signed_out(user)}")
    if first and (ways := _providers().get(user.id)):
        click.echo(f"It is the first one kept here. {ways} still signs them in, but a password of the directory no longer does.")


@accounts.command("quota")
@click.argument("address")
@click.argument("size")
def set_quota(address: str, size: str) -> None:
    """Set a person's mail quota: `accounts quota alice 5G`; 0 for no limit."""
    if settings().sign_in != "accounts":
        raise click.ClickException("the mail server keeps the accounts here (sign_in = imap): set the quota there")
    user, quota_bytes = account_of(address), bytes_of(size)
    before = user.quota_bytes
    if quota_bytes != before:
        account_management.set_quota(user, quota_bytes)
        noted(AuditAct.ACCOUNT_QUOTA_SET, user.address, before=room_of(before), room=room_of(quota_bytes))
    answered = quota_request.close(user, quota_bytes)
    click.echo(f"quota of {user.address}: {room_of(quota_bytes)} (was {room_of(before)})")
    if answered:
        click.echo("this answers their request for more room")


@accounts.command("requests")
def list_requests() -> None:
    """List requests for more room: address, time (UTC), room used, quota, reason."""
    for row in quota_request.open_requests():
        used = f"{row.used / 1024**2:.0f}M of {row.room / 1024**2:.0f}M"
        click.echo(f"{row.user.address}\t{row.asked:%Y-%m-%d %H:%M}\t{used}\t{printable(row.note)}".rstrip())


@accounts.command("disable")
@click.argument("address")
def disable_account(address: str) -> None:
    """Disable an account and sign the person out at once. Their mail is kept."""
    user = account_of(address)
    try:
        account_management.set_active(user, False)
    except account_management.LastAdministratorError as error:
        raise click.ClickException(last_words(user)) from error
    decide_by_hand(user)
    forward_targets.note_closed()
    noted(AuditAct.ACCOUNT_DISABLED, user.address)
    click.echo(f"{user.address} is disabled; {signed_out(user)}")
    if booked := told_by_leaving(user):
        people = "person has" if booked == 1 else "people have"
        click.echo(f"{booked} {people} appointments; they are told two days before, unless the account is enabled again")


@accounts.command("enable")
@click.argument("address")
def enable_account(address: str) -> None:
    """Let a person sign in again."""
    user = account_of(address)
    account_management.set_active(user, True)
    decide_by_hand(user)
    forward_targets.note_closed()
    noted(AuditAct.ACCOUNT_ENABLED, user.address)
    click.echo(f"{user.address} is enabled")


def _hash(from_stdin: bool) -> str:
    """The hash of a password read from standard input or prompted for twice."""
    return hashing.hash_password(typed_password(from_stdin))
