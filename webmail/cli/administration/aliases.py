"""Command line of aliases: `accounts alias add, remove, list`, by the same functions as the pages."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.admin.people import other_addresses
from webmail.admin.people.record import COMMAND
from webmail.auth import aliases
from webmail.cli.values import account_of, printable
from webmail.establishments.scope import EVERYTHING
from webmail.web.current import settings

alias = AppGroup("alias", help="Further addresses of people; @lycee.example is all that nobody of the domain has.")


@alias.command("add")
@click.argument("address")
@click.argument("account")
def add_alias(address: str, account: str) -> None:
    """Send mail for an address to an account: `accounts alias add info alice`. The person can write from it, too."""
    user, wanted = account_of(account), _full(address)
    try:
        other_addresses.change([], [(user, wanted)], COMMAND)
    except aliases.AliasTakenError as error:
        raise click.ClickException(f"{error} is in use, or rests") from error
    except aliases.UnusableAliasError as error:
        raise click.ClickException(f"{error} can't be given: not an address of a domain here, or one too many") from error
    except aliases.InsideOnlyError as error:
        raise click.ClickException(f"{user.address} takes mail from inside only, so {error} can't lead there") from error
    click.echo(f"mail for {wanted} goes to {user.address}")


@alias.command("remove")
@click.argument("addresses", nargs=-1, required=True)
def remove_alias(addresses: tuple[str, ...]) -> None:
    """Send mail for these addresses to nobody any more."""
    wanted = [_full(one) for one in addresses]
    there = aliases.among(wanted, EVERYTHING.condition())
    if missing := sorted(set(wanted) - {row.address for row in there}):
        raise click.ClickException(f"{printable(missing[0])} is no alias; `accounts alias list` shows all")
    other_addresses.change(there, [], COMMAND)
    click.echo(f"{len(there)} removed")


@alias.command("list")
@click.argument("text", nargs=-1)
@click.option("--domain", default="", help="The domain, if not the one in the settings.")
def list_aliases(text: tuple[str, ...], domain: str) -> None:
    """List the aliases of a domain: alias, account, whether it is a former address. With words, those that have them."""
    domain, number = (domain or settings().domain).lower(), 1
    for row in aliases.among([f"@{domain}"], EVERYTHING.condition()):
        click.echo(f"{row.address}\t{row.user.address}")
    while True:
        found = aliases.in_domain(domain, EVERYTHING.condition(), " ".join(text), number)
        for row in found.rows:
            click.echo(f"{printable(row.address)}\t{row.user.address}\t{'former' if row.former else ''}".rstrip())
        if (number := number + 1) > found.last:
            return


def _full(typed: str) -> str:
    typed = typed.strip().lower()
    return typed if "@" in typed else f"{typed}@{settings().domain.lower()}"
