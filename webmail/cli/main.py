"""Command line: `flask --app wsgi accounts ...`, `groups ...`, `support ...`, `audit`, `migrate`, `doctor` ...; 1 on failure."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from itertools import chain
from typing import Any

import click
import peewee as pw
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from flask_babel import force_locale

from webmail.admin.people import creation
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.record import COMMAND
from webmail.appointments.leaving import told_by_leaving
from webmail.auth import account_management
from webmail.auth.new_accounts import NewFault
from webmail.auth.passwords import hashing
from webmail.auth.providers.directory import decide_by_hand
from webmail.calendar.rooms import resources
from webmail.cli.absence import absence
from webmail.cli.administration.accounts import add_many, change_many, list_homes, rename_account
from webmail.cli.administration.aliases import alias
from webmail.cli.administration.handovers import handovers
from webmail.cli.administration.keys import keys
from webmail.cli.administration.lists import lists
from webmail.cli.administration.people_files import export_people, import_people
from webmail.cli.administration.quarantine import quarantine
from webmail.cli.administration.school_year import begin_school_year
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
from webmail.cli.installation.move import move
from webmail.cli.installation.old_servers import import_from
from webmail.cli.installation.restores import restores
from webmail.cli.installation.version import version
from webmail.cli.providers import disconnect_account
from webmail.cli.rooms import rooms
from webmail.cli.storage import storage
from webmail.cli.support import support
from webmail.cli.transfers import transfers
from webmail.cli.values import account_of, address_of, bytes_of, last_words, printable, room_of
from webmail.database.connection import DATABASE_AWAY, advice, db
from webmail.database.migrate import migrate as migrate_database
from webmail.doctor import checks as examination
from webmail.doctor import fixes, result, rounds
from webmail.doctor.mail_servers import forgery, round_trip, test_message
from webmail.doctor.zone import blocklists
from webmail.filters.forwarding import forward_targets
from webmail.mailbox.quota import quota_request
from webmail.models import AllowedAddress, AllowedName, AuditAct, LinkedAccount, User
from webmail.people import own_name
from webmail.web.current import settings
from webmail.web.templates import template_cache

SHORTEST_PASSWORD = 8  # characters
LONGEST_NAME = 190  # the column's length
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
    add_many, change_many, rename_account, list_homes, alias,
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
    person = NewPerson(address, _name(name), bytes_of(quota), role="admin" if admin else "person", lasting=lasting)
    if User.get_or_none(User.address == address):
        raise click.ClickException(f"{address} already exists")
    _refuse_reserved(address)
    if fault := creation.fault_of(person):
        raise click.ClickException(f"{address} {_FAULTS[fault]}")
    ours = creation.keeps_passwords(settings())
    person.letters = _typed_password(password_stdin) if ours and not no_password else ""
    creation.create([person], COMMAND, settings())
    why = "they sign in by a provider" if ours else "the mail server keeps passwords here"
    click.echo(f"added {address}" + ("" if person.letters else f"; no password asked for: {why}"))


def _refuse_reserved(address: str) -> None:
    if address and resources.is_room(address):
        raise click.ClickException(f"{address} is the address of a room or thing; give that one another first, on /admin/rooms")


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
    own_name.put(user, _name(name))
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


@accounts.command("limits")
@click.argument("address")
@click.option("--hour", default=-1, type=click.IntRange(-1), help="Recipients per hour; 0: no limit, -1: the usual limit.")
@click.option("--day", default=-1, type=click.IntRange(-1), help="Recipients per day; 0: no limit, -1: the usual limit.")
def set_limits(address: str, hour: int, day: int) -> None:
    """Set how many recipients one person can write to, in place of recipients_per_hour and recipients_per_day."""
    user = account_of(address)
    account_management.set_recipients(user, hour if hour >= 0 else None, day if day >= 0 else None)
    noted(AuditAct.ACCOUNT_LIMITED, user.address, hour=hour, day=day)
    words = ["the usual limit" if most < 0 else str(most) if most else "no limit" for most in (hour, day)]
    click.echo(f"{user.address}: recipients per hour: {words[0]}; per day: {words[1]}")


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


@accounts.command("allow")
@click.argument("address")
@click.argument("alias", default="")
@click.option("--name", default="", help="A display name to allow, such as a colleague's or a department's.")
def allow_address(address: str, alias: str, name: str) -> None:
    """Allow a person to send from another address, such as a department's, or under another name.

    The mail server reads the same table of addresses."""
    user, name = account_of(address), _name(name)
    alias = _one_of(alias, name)
    _refuse_reserved(alias)
    if alias and alias != user.address and account_management.allow(user, address=alias):
        noted(AuditAct.ACCOUNT_ALLOWED, user.address, address=alias)
    if name and account_management.allow(user, name=name):
        noted(AuditAct.ACCOUNT_ALLOWED, user.address, name=name)
    click.echo(f"{user.address} can send {_as(alias, name)}")


@accounts.command("disallow")
@click.argument("address")
@click.argument("alias", default="")
@click.option("--name", default="", help="A display name to withdraw.")
def disallow_address(address: str, alias: str, name: str) -> None:
    """Withdraw what `accounts allow` granted."""
    user, name = account_of(address), _name(name)
    alias = _one_of(alias, name)
    if alias == user.address:
        raise click.ClickException(f"{alias} is their own address")
    if alias and account_management.disallow(user, address=alias):
        noted(AuditAct.ACCOUNT_DISALLOWED, user.address, address=alias)
    if name and account_management.disallow(user, name=name):
        noted(AuditAct.ACCOUNT_DISALLOWED, user.address, name=name)
    click.echo(f"{user.address} can't send {_as(alias, name)}")


def _as(alias: str, name: str) -> str:
    return " and ".join([*([f"as {alias}"] if alias else []), *([f"under the name {name}"] if name else [])])


def _one_of(alias: str, name: str) -> str:
    """The address of the two, normalised; "" if only a name is given."""
    if not alias and not name:
        raise click.ClickException("give an address, or a name with --name")
    return address_of(alias) if alias else ""


@accounts.command("allowed")
@click.argument("address", required=False)
def list_allowed(address: str | None) -> None:
    """List the other addresses and names people can send with: everybody's, or one person's."""
    user = account_of(address) if address else None
    for table, column in ((AllowedAddress, AllowedAddress.address), (AllowedName, AllowedName.name)):
        found = table.select(table, User).join(User).order_by(User.address, column)
        for row in found.where(table.user == user) if user else found:
            click.echo(f"{row.user.address}\t{printable(getattr(row, column.name))}")


@click.command()
@click.option("--as", "address", default="", help="Also sign in as this person: with a token if there is a key, else a password.")
@click.option("--mail", "recipient", default="", help="Also send this address test messages on each way, and a forged one.")
@click.option("--blocklists", "asks_lists", is_flag=True, help="Also ask blocklists about the addresses of this server.")
@click.option(
    "--watch",
    is_flag=True,
    help="Mail administrators what broke or is well again since the last time, as the worker does each hour.",
)
@click.option("--fix", "mend", is_flag=True, help="Mend what is safe to mend, after asking for each.")
@click.option("--yes", is_flag=True, help="With --fix: without asking.")
@with_appcontext
def doctor(address: str, recipient: str, asks_lists: bool, watch: bool, mend: bool, yes: bool) -> None:
    """Check the mail servers, the database and this machine, and say what to fix."""
    if mend:
        _mend(yes)
    password = None
    recipient = address_of(recipient) if recipient else ""
    if address:
        address = address_of(address)
        if settings().sign_in == "accounts":
            with contextlib.suppress(*DATABASE_AWAY):  # which is told below, after the servers
                account_of(address)
        if not settings().token_key_file:
            password = _password(f"Mail password of {address}")
    found = 0
    by_mail = [way.examine(recipient, settings()) for way in (test_message, round_trip, forgery)]
    of_lists = blocklists.examine(settings()) if asks_lists else ()
    results = []
    with force_locale("en"):
        for check in chain(examination.examine(settings(), address, password), *by_mail, of_lists):
            click.echo(f"{check.state:8} {check.name:22} {printable(str(check.words))}")
            found += check.state == result.PROBLEM
            results.append(check)
    if watch:
        _tell(results)
    if found:
        click.echo(f"{found} problem{'s' if found > 1 else ''}")
        sys.exit(1)


def _mend(without_asking: bool) -> None:
    """Each fix that there is, if it is wanted. What can't be done is told, and the others are."""
    todo = list(fixes.found(settings()))
    if not todo:
        click.echo("there is nothing that can be mended from here")
    for fix in todo:
        if without_asking or (_at_a_terminal() and click.confirm(f"{fix.words}?")):
            try:
                fix.do()
            except (OSError, pw.DatabaseError) as error:
                click.echo(f"not done: {fix.words}: {printable(result.plain(error))}")
            else:
                click.echo(f"done: {fix.words}")
        else:
            click.echo(f"left: {fix.words}")


def _tell(results: list[result.CheckResult]) -> None:
    """Mail of what changed leaves by the worker; without one, when it runs again."""
    with db.connection_context():
        sent = rounds.note_and_tell(results, settings())
    click.echo(f"told by mail: {len(sent)} message{'' if len(sent) == 1 else 's'}" if sent else "nothing new to tell")


def _hash(from_stdin: bool) -> str:
    """The hash of a password read from standard input or prompted for twice."""
    return hashing.hash_password(_typed_password(from_stdin))


def _typed_password(from_stdin: bool) -> str:
    """A password read from standard input or prompted for twice, that can be one."""
    password = _piped() if from_stdin else _password("Password", once_more=True)
    if len(password) < SHORTEST_PASSWORD:
        raise click.ClickException(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if not hashing.usable(password):
        raise click.ClickException(f"a password has 1 to {hashing.LONGEST} characters, on one line")
    return password


def _password(question: str, once_more: bool = False) -> str:
    """Prompt for a password without echo; without a terminal, read the next line of standard input."""
    if not _at_a_terminal():
        return _piped()
    return str(click.prompt(question, hide_input=True, confirmation_prompt="Repeat password" if once_more else False))


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _piped() -> str:
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError as error:
        raise click.ClickException("the password on standard input is not UTF-8") from error
    if not line.rstrip("\r\n"):
        raise click.ClickException("no password was given on standard input")
    return line.rstrip("\r\n")


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise click.ClickException(f"a name can have at most {LONGEST_NAME} characters, and no control characters")
    return name
