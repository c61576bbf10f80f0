"""Command line of accounts in numbers: `accounts add-many`, `change`, `rename`, by the same functions as the pages."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from webmail.admin.people import changes, creation, renaming
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management
from webmail.cli.values import account_of, address_of, bytes_of, printable
from webmail.web.current import settings

_AT_ONCE = 200  # accounts in one transaction


@click.command("add-many")
@click.option("--quota", default="1G", show_default=True, help="Mail quota of each, such as 500M or 2G; 0 for no limit.")
@click.option("--no-passwords", is_flag=True, help="Make none: they sign in by the directory or another provider.")
@with_appcontext
def add_many(quota: str, no_passwords: bool) -> None:
    """Add accounts from standard input, a line each: address, a tab, name. Prints address, a tab, temporary password.

    Lines whose account can't be made are told on standard error, and the others are made; it ends with 1 then.
    """
    size, ours = bytes_of(quota), creation.keeps_passwords(settings()) and not no_passwords
    people, wrong, seen = [], 0, set()
    for line in sys.stdin:
        typed, _tab, name = line.rstrip("\r\n").partition("\t")
        if not typed.strip():
            continue
        person = NewPerson(address_of(typed), name.strip(), size, letters=creation.make_letters() if ours else "")
        fault = "twice" if person.address in seen else creation.fault_of(person)
        seen.add(person.address)
        if fault:
            wrong += 1
            click.echo(f"{printable(typed)}: not made ({fault})", err=True)
        else:
            people.append(person)
    for at in range(0, len(people), _AT_ONCE):
        creation.create(people[at : at + _AT_ONCE], COMMAND, settings())
        for person in people[at : at + _AT_ONCE]:
            click.echo(f"{person.address}\t{person.letters}".rstrip())
    sys.exit(1 if wrong else 0)


@click.command("change")
@click.argument("what", type=click.Choice([str(act) for act in Act]))
@click.argument("addresses", nargs=-1)
@click.option("--quota", default="", help="With `quota`: 500M, 2G; 0 for no limit.")
@click.option("--until", default="", help="With `end`: the last day, such as 2027-07-31; without it there is none.")
@with_appcontext
def change_many(what: str, addresses: tuple[str, ...], quota: str, until: str) -> None:
    """Do something to many accounts at once: `accounts change disable alice bob`; without addresses, to those on standard input.

    `remove` disables them, and deletes them for good after the days of deletion_days; `restore` takes that back.
    """
    typed = addresses or tuple(line.strip() for line in sys.stdin if line.strip())
    users = [account_of(address) for address in dict.fromkeys(typed)]
    value = bytes_of(quota) if what == Act.QUOTA else _end(until) if what == Act.END and until else None
    outcome = changes.apply(users, Step(Act(what), value), COMMAND, settings())
    for user, refusal in outcome.refused:
        click.echo(f"{user.address}: refused ({refusal})", err=True)
    click.echo(f"{len(outcome.changed)} changed, {len(outcome.refused)} refused, of {len(users)}")
    sys.exit(1 if outcome.refused else 0)


@click.command("rename")
@click.argument("address")
@click.argument("new")
@with_appcontext
def rename_account(address: str, new: str) -> None:
    """Give somebody another address. The former one goes on: mail to it arrives, and phones that are set up sign in by it."""
    user = account_of(address)
    try:
        before = renaming.rename(user, address_of(new), COMMAND, settings()).before
    except renaming.RenamingRefusedError as error:
        raise click.ClickException(f"{new} can't be given ({error.fault})") from error
    click.echo(f"{before} is now {user.address}")


@click.command("homes")
@with_appcontext
def list_homes() -> None:
    """List the folders of mailboxes whose account is deleted, for deploy/remove-homes.sh, which removes them."""
    for home in account_management.deserted_homes():
        click.echo(home)


def _end(day: str) -> datetime:
    try:
        after = datetime.strptime(day, "%Y-%m-%d").date() + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise click.ClickException(f"{day!r} is not a day such as 2027-07-31") from error
    return datetime.combine(after, time(), ZoneInfo(settings().timezone)).astimezone(UTC).replace(tzinfo=None)
