"""Command line of the LDAP directory: `flask --app wsgi accounts directory check`, `sweep`, `show` and `forget`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from webmail.auth.passwords.check_admission import TooBusyError
from webmail.auth.providers import accounts as provider_accounts
from webmail.auth.providers import directory as people_directory
from webmail.auth.providers import directory_sweep
from webmail.auth.sessions.endings import end_everything
from webmail.cli.audit import noted
from webmail.cli.values import account_of, address_of, printable, room_of
from webmail.doctor import directory as doctor_directory
from webmail.doctor import result
from webmail.errors import ServerAwayError
from webmail.models import AuditAct, User
from webmail.web.current import settings

directory = AppGroup("directory", help="The LDAP directory that checks passwords: what it says, and who left it.")


@directory.command("check")
def check_directory() -> None:
    """Reach the directory, sign in to it, and search once."""
    _needed()
    found = list(doctor_directory.examine(settings()))
    with force_locale("en"):
        for one in found:
            click.echo(f"{one.state:8} {one.name:22} {printable(str(one.words))}")
    if any(one.state == result.PROBLEM for one in found):
        sys.exit(1)


@directory.command("show")
@click.argument("address")
def show_entry(address: str) -> None:
    """Show who would sign in by this name or address, and what would be taken from the directory."""
    _needed()
    with _answering():
        found = people_directory.find(address_of(address), settings())
    if found is None:
        raise click.ClickException(f"the directory has nobody called {address}, or more than one, or doesn't let them sign in")
    entry, claims = found
    user = User.get_or_none(User.address == claims.address)
    there = "none of an allowed domain" if not claims.address else claims.address
    lines = {
        "entry": entry.dn, "known by": entry.subject, "address": there, "name": claims.name,
        "groups": "left alone" if claims.groups is None else ", ".join(claims.groups) or "none",
        "quota": "left alone" if claims.quota_bytes is None else room_of(claims.quota_bytes),
        "account": _state(user, claims) if claims.address else "none can be made",
    }  # fmt: skip
    for name, words in lines.items():
        click.echo(f"{name}\t{printable(words)}".rstrip())


@directory.command("sweep")
@click.option("--yes", "sure", is_flag=True, help="Disable them even if they are many.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def sweep_directory(sure: bool, dry_run: bool) -> None:
    """Disable the accounts of people who are no longer in the directory, and enable those who are back.

    The worker does this each hour. It disables nobody where that would be more than a fifth of the directory's accounts."""
    _needed()
    with _answering():
        found = directory_sweep.look(settings())
    click.echo(f"people in the directory: {found.people}; with an account: {found.known}")
    for user in found.gone:
        click.echo(f"gone\t{user.address}")
    for user in found.back:
        click.echo(f"back\t{user.address}")
    if dry_run:
        return
    gone, back = directory_sweep.carry_out(found, settings(), "command", sure=sure)
    click.echo(f"{gone} disabled, {back} enabled")
    if found.doubtful and not sure:
        raise click.ClickException("so many at once are not disabled: if they have really left, add --yes")


@directory.command("forget")
@click.argument("address")
def forget_entry(address: str) -> None:
    """Forget which entry an account belongs to, after the directory was made anew: the next sign-in finds it by its address."""
    user = account_of(address)
    if not provider_accounts.unlink(user, people_directory.PROVIDER):
        raise click.ClickException(f"{user.address} does not belong to an entry of the directory")
    end_everything(user, settings())
    noted(AuditAct.PROVIDER_UNLINKED, user.address)
    click.echo(f"{user.address} belongs to no entry any more; their sessions are ended")


def _state(user: User | None, claims: provider_accounts.Claims) -> str:
    if user is None:
        return "is made at the first sign-in" if settings().ldap.create else "there is none, and none is made"  # type: ignore[union-attr]
    if provider_accounts.has_own_password(user):
        return "has a password of ours: the directory is not asked"
    if not user.active:
        return "is disabled"
    link = next((one for one in provider_accounts.links_of(user) if one.provider == people_directory.PROVIDER), None)
    if link is None:
        return "is there" if claims.proven else "is there, with another way to sign in"
    return "belongs to this entry" if link.subject == claims.subject else "belongs to another entry: see `directory forget`"


def _needed() -> None:
    if settings().ldap is None:
        raise click.ClickException("no directory is set: see [ldap] in docs/administrator/settings-tables.md")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (ServerAwayError, TooBusyError) as error:
        raise click.ClickException(f"{error}; nothing was changed") from error
