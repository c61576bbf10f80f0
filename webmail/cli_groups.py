"""Command line of groups: `flask --app wsgi groups add, remove, list, rename, delete`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import AppGroup

from webmail.accounts import groups as people_groups
from webmail.cli_audit import group_noted
from webmail.cli_values import account_of, printable
from webmail.database.connection import db
from webmail.models import PeopleGroup
from webmail.web.current import settings

groups = AppGroup("groups", help="Groups of people, for sharing folders and writing to all: classes, subjects, offices.")


def domain_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--domain", default="", help="Domain of the people, if it is not the one in the settings.")(command)


@groups.command("add")
@click.argument("name")
@click.argument("addresses", nargs=-1)
@domain_option
def add_to_group(name: str, addresses: tuple[str, ...], domain: str) -> None:
    """Make a group if there is none of this name, and put people into it: `groups add "4e B" alice bob`."""
    domain = _domain(domain)
    people = [account_of(address) for address in dict.fromkeys(addresses)]
    made = False
    with db.atomic():
        try:
            group = people_groups.find(domain, name)
        except people_groups.NoSuchGroup:
            with _naming(name):
                group, made = people_groups.create(domain, name), True
        before = people_groups.members(group)
        try:
            count = people_groups.add(group, people)
        except people_groups.OutsideDomain as error:
            raise click.ClickException(f"{error} is not of {domain}: a group has people of one domain only") from error
    if made:
        group_noted("made", group)
    group_noted("added", group, [user for user in people if user not in before])
    there = f", {len(people) - count} in it already" if count < len(people) else ""
    click.echo(f"{group.name}: {'made, ' if made else ''}{count} added{there}")


@groups.command("remove")
@click.argument("name")
@click.argument("addresses", nargs=-1, required=True)
@domain_option
def remove_from_group(name: str, addresses: tuple[str, ...], domain: str) -> None:
    """Take people out of a group. What was shared with it closes to them within ten minutes."""
    group = _group(name, domain)
    people, before = {account_of(address) for address in addresses}, people_groups.members(group)
    count = people_groups.remove(group, list(people))
    group_noted("removed", group, [user for user in before if user in people])
    click.echo(f"{group.name}: {count} removed")


@groups.command("list")
@click.argument("name", required=False)
@domain_option
def list_groups(name: str | None, domain: str) -> None:
    """Show all groups with the number of their people, the people of one group, or the groups of one person (an address)."""
    if name and "@" in name:
        for group in people_groups.of_person(account_of(name)):
            click.echo(group.name)
    elif name:
        for user in people_groups.members(_group(name, domain)):
            click.echo(f"{user.address}\t{'active' if user.active else 'disabled'}\t{printable(user.name)}".rstrip())
    else:
        found = people_groups.listed(_domain(domain))
        for group, size in found:
            click.echo(f"{group.name}\t{size}\t{group.identifier}")
        if not found:
            click.echo("No group yet.")


@groups.command("rename")
@click.argument("name")
@click.argument("new_name")
@domain_option
def rename_group(name: str, new_name: str, domain: str) -> None:
    """Give a group another name. Folders that are shared with it stay so."""
    group = _group(name, domain)
    before = group.name
    with _naming(new_name):
        people_groups.rename(group, new_name)
    group_noted("renamed", group, before=before)
    click.echo(f"the group is {group.name} now")


@groups.command("delete")
@click.argument("name")
@domain_option
def delete_group(name: str, domain: str) -> None:
    """Delete a group; its people stay. What was shared with it closes to them within ten minutes."""
    group = _group(name, domain)
    people_groups.delete(group)
    group_noted("deleted", group)
    click.echo(f"deleted the group {group.name}")


def _domain(given: str) -> str:
    domain = given.strip().lower() or settings().domain.lower()
    if not domain:
        raise click.ClickException("which domain? Say --domain lycee.example, or set `domain` in the settings")
    return domain


def _group(name: str, domain: str) -> PeopleGroup:
    try:
        return people_groups.find(_domain(domain), name)
    except people_groups.NoSuchGroup as error:
        raise click.ClickException(f"there is no group {name!r}; `groups list` shows all") from error


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Say what is wrong with the name that a group is given."""
    try:
        yield
    except people_groups.UnusableGroupName as error:
        most = people_groups.LONGEST_NAME
        raise click.ClickException(f'a group has a name of at most {most} characters, without any of @ , ; : " < > \\') from error
    except people_groups.GroupNameTaken as error:
        raise click.ClickException(f"a group is called {name!r} already, or nearly so") from error
