"""Command line of deputies: `flask --app wsgi accounts deputy add, remove, list`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.auth.recovery import deputies
from webmail.cli.audit import noted
from webmail.cli.values import account_of
from webmail.models import AuditAct, PeopleGroup, User
from webmail.people import groups
from webmail.web.current import settings
from webmail.web.security_mail import SecurityNotice, tell

deputy = AppGroup("deputy", help="Who may help the people of a group back in, in person: with a temporary password on paper.")


@deputy.command("add")
@click.argument("address")
@click.argument("group")
def add_deputy(address: str, group: str) -> None:
    """Let a person help the people of a group. They are told by mail, and need two-step verification themselves."""
    user = account_of(address)
    found = _group(user, group)
    if not deputies.add(user, found):
        click.echo(f"{user.address} is a deputy for {found.name} already")
        return
    noted(AuditAct.DEPUTY_CHANGED, user.address, change="added", group=found.name)
    tell(user, SecurityNotice.DEPUTY_ADDED, found.name)
    needs = "" if user.second_step else "; they need two-step verification before they can help anybody"
    click.echo(f"{user.address} is now a deputy for {found.name}{needs}")


@deputy.command("remove")
@click.argument("address")
@click.argument("group", required=False)
def remove_deputy(address: str, group: str | None) -> None:
    """Take that right back, for one group or for all. The person is told by mail."""
    user = account_of(address)
    gone = deputies.remove(user, _group(user, group) if group else None)
    for each in gone:
        noted(AuditAct.DEPUTY_CHANGED, user.address, change="removed", group=each.name)
        tell(user, SecurityNotice.DEPUTY_REMOVED, each.name)
    names = ", ".join(each.name for each in gone)
    click.echo(f"{user.address} is no longer a deputy for {names}" if gone else f"{user.address} is no deputy there")


@deputy.command("list")
@click.argument("address", required=False)
def list_deputies(address: str | None) -> None:
    """List deputies and the groups they are for: everybody's, or one person's."""
    user = account_of(address) if address else None
    found = [row for row in deputies.listed() if user is None or row.user == user]
    for row in found:
        click.echo(f"{row.user.address}\t{row.group.name}")
    if not found:
        click.echo(f"{user.address} is no deputy" if user else "No deputies.")


def _group(user: User, name: str) -> PeopleGroup:
    """A group of the person's own domain, else of another one of the establishment."""
    for domain in settings().own_domains(user.domain):
        try:
            return groups.find(domain, name)
        except groups.NoSuchGroupError:
            continue
    raise click.ClickException(f"there is no group {name!r} in {user.domain}; `groups list` shows all")
