"""Commands on how people may send: to how many, and from which other addresses and names."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from webmail.auth import account_management
from webmail.calendar.rooms import resources
from webmail.cli.audit import noted
from webmail.cli.values import account_of, address_of, name_of, printable
from webmail.models import AllowedAddress, AllowedName, AuditAct, User


@click.command("limits")
@click.argument("address")
@click.option("--hour", default=-1, type=click.IntRange(-1), help="Recipients per hour; 0: no limit, -1: the usual limit.")
@click.option("--day", default=-1, type=click.IntRange(-1), help="Recipients per day; 0: no limit, -1: the usual limit.")
@with_appcontext
def set_limits(address: str, hour: int, day: int) -> None:
    """Set how many recipients one person can write to, in place of recipients_per_hour and recipients_per_day."""
    user = account_of(address)
    account_management.set_recipients(user, hour if hour >= 0 else None, day if day >= 0 else None)
    noted(AuditAct.ACCOUNT_LIMITED, user.address, hour=hour, day=day)
    words = ["the usual limit" if most < 0 else str(most) if most else "no limit" for most in (hour, day)]
    click.echo(f"{user.address}: recipients per hour: {words[0]}; per day: {words[1]}")


@click.command("allow")
@click.argument("address")
@click.argument("alias", default="")
@click.option("--name", default="", help="A display name to allow, such as a colleague's or a department's.")
@with_appcontext
def allow_address(address: str, alias: str, name: str) -> None:
    """Allow a person to send from another address, such as a department's, or under another name.

    The mail server reads the same table of addresses."""
    user, name = account_of(address), name_of(name)
    alias = _one_of(alias, name)
    refuse_reserved(alias)
    if alias and alias != user.address and account_management.allow(user, address=alias):
        noted(AuditAct.ACCOUNT_ALLOWED, user.address, address=alias)
    if name and account_management.allow(user, name=name):
        noted(AuditAct.ACCOUNT_ALLOWED, user.address, name=name)
    click.echo(f"{user.address} can send {_as(alias, name)}")


@click.command("disallow")
@click.argument("address")
@click.argument("alias", default="")
@click.option("--name", default="", help="A display name to withdraw.")
@with_appcontext
def disallow_address(address: str, alias: str, name: str) -> None:
    """Withdraw what `accounts allow` granted."""
    user, name = account_of(address), name_of(name)
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


@click.command("allowed")
@click.argument("address", required=False)
@with_appcontext
def list_allowed(address: str | None) -> None:
    """List the other addresses and names people can send with: everybody's, or one person's."""
    user = account_of(address) if address else None
    for table, column in ((AllowedAddress, AllowedAddress.address), (AllowedName, AllowedName.name)):
        found = table.select(table, User).join(User).order_by(User.address, column)
        for row in found.where(table.user == user) if user else found:
            click.echo(f"{row.user.address}\t{printable(getattr(row, column.name))}")


def refuse_reserved(address: str) -> None:
    if address and resources.is_room(address):
        raise click.ClickException(f"{address} is the address of a room or thing; give that one another first, on /admin/rooms")
