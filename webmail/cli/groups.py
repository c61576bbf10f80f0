"""Command line of groups: `flask --app wsgi groups add, remove, list, rename, delete`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import AppGroup

from webmail.cli.audit import group_noted
from webmail.cli.values import account_of, printable
from webmail.database.connection import db
from webmail.models import PeopleGroup
from webmail.people import groups as people_groups
from webmail.web.current import settings

groups = AppGroup("groups", help="Groups of people to share folders with and write to: classes, subjects, departments.")


def domain_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--domain", default="", help="The group's domain, if not the one in the settings.")(command)


@groups.command("add")
@click.argument("name")
@click.argument("addresses", nargs=-1)
@domain_option
def add_to_group(name: str, addresses: tuple[str, ...], domain: str) -> None:
    """Add people to a group, creating it if needed: `groups add "4e B" alice bob`."""
    domain = _domain(domain)
    people = [account_of(address) for address in dict.fromkeys(addresses)]
    made = False
    with db.atomic():
        try:
            group = people_groups.find(domain, name)
        except people_groups.NoSuchGroupError:
            with _naming(name):
                group, made = people_groups.create(domain, name), True
        before = people_groups.members(group)
        try:
            count = people_groups.add(group, people)
        except people_groups.OutsideDomainError as error:
            raise click.ClickException(f"{error} is not in {domain}: a group can only have people of one domain") from error
    if made:
        group_noted("made", group)
    group_noted("added", group, [user for user in people if user not in before])
    there = f", {len(people) - count} already in it" if count < len(people) else ""
    click.echo(f"{group.name}: {'created, ' if made else ''}{count} added{there}")


@groups.command("remove")
@click.argument("name")
@click.argument("addresses", nargs=-1, required=True)
@domain_option
def remove_from_group(name: str, addresses: tuple[str, ...], domain: str) -> None:
    """Remove people from a group. They lose access to what is shared with it within ten minutes."""
    group = _group(name, domain)
    people, before = {account_of(address) for address in addresses}, people_groups.members(group)
    count = people_groups.remove(group, list(people))
    group_noted("removed", group, [user for user in before if user in people])
    click.echo(f"{group.name}: {count} removed")


@groups.command("list")
@click.argument("name", required=False)
@domain_option
def list_groups(name: str | None, domain: str) -> None:
    """List all groups with their sizes, the people in one group, or the groups of one person (an address)."""
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
            click.echo("No groups yet.")


@groups.command("rename")
@click.argument("name")
@click.argument("new_name")
@domain_option
def rename_group(name: str, new_name: str, domain: str) -> None:
    """Rename a group. Folders shared with it stay shared."""
    group = _group(name, domain)
    before = group.name
    with _naming(new_name):
        people_groups.rename(group, new_name)
    group_noted("renamed", group, before=before)
    click.echo(f"the group is now called {group.name}")


@groups.command("delete")
@click.argument("name")
@domain_option
def delete_group(name: str, domain: str) -> None:
    """Delete a group, but not its people. They lose access to what was shared with it within ten minutes."""
    group = _group(name, domain)
    people_groups.delete(group)
    group_noted("deleted", group)
    click.echo(f"deleted the group {group.name}")


def _domain(given: str) -> str:
    domain = given.strip().lower() or settings().domain.lower()
    if not domain:
        raise click.ClickException("which domain? Use --domain lycee.example, or set `domain` in the settings")
    return domain


def _group(name: str, domain: str) -> PeopleGroup:
    try:
        return people_groups.find(_domain(domain), name)
    except people_groups.NoSuchGroupError as error:
        raise click.ClickException(f"there is no group {name!r}; `groups list` shows all") from error


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Say what is wrong with the name that a group is given."""
    try:
        yield
    except people_groups.UnusableGroupNameError as error:
        most = people_groups.LONGEST_NAME
        raise click.ClickException(f'a group name can have at most {most} characters, and none of @ , ; : " < > \\') from error
    except people_groups.GroupNameTakenError as error:
        raise click.ClickException(f"there is already a group called {name!r}, or nearly so") from error
