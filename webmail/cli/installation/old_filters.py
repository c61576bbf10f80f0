"""Command line of filters in bulk: `import filters FILE --server HOST` copies Sieve scripts as the text that they are."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from webmail import managesieve
from webmail.account import Account, Password, Security, Server
from webmail.cli.installation import old_mail
from webmail.cli.values import printable
from webmail.errors import MailError, SignInRefusedError
from webmail.filters import script_files
from webmail.filters.store import FiltersChangedError
from webmail.managesieve import ScriptRefusedError
from webmail.models import User

_MOST = 100  # scripts of one person
_REFUSED_AT_FIRST = 5  # people in a row whose sign-in there is refused, before anybody's was not


@click.command("filters")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@old_mail.from_old_server
@with_appcontext
def import_filters(
    file: Path,
    server: str,
    security: Security | None,
    ca_file: str,
    master: str,
    way: str,
    separator: str,
    password_file: Path | None,
    only: str,
) -> None:
    """Copy the Sieve scripts of many people from an old ManageSieve server. FILE: as for `import mail`. Nothing is replaced."""
    old_mail.need_tokens()
    people = old_mail.people_of(old_mail.accounts_in(file), only)
    there = old_mail.server_of(server, security, ca_file, {4190: "starttls"})
    user = old_mail.master_of(master, way, separator, password_file)
    wrong = refused = 0
    for number, (line, person) in enumerate(people, 1):
        label = f"{number}/{len(people)} {printable(line.old)} -> {printable(line.new)}"
        credential = old_mail.credential_of(line, user)
        if person is None or credential is None:
            click.echo(f"{label}: {'there is no such account here' if person is None else 'the line has no password'}")
            wrong += 1
            continue
        try:
            wrong += not _copy(label, person, there, credential)
            refused = -len(people)
        except SignInRefusedError:
            click.echo(f"{label}: a server refuses the sign-in")
            wrong, refused = wrong + 1, refused + 1
        except MailError as error:
            click.echo(f"{label}: {printable(str(error))[:200]}")
            wrong += 1
        if refused >= _REFUSED_AT_FIRST:
            raise click.ClickException(f"the old server refused the first {refused} sign-ins: is the password right?")
    if wrong:
        raise click.ClickException(f"the scripts of {wrong} of {len(people)} did not all come; type it again after that")
    click.echo(f"the scripts of {len(people)} of {len(people)} are here")


def _copy(label: str, person: User, server: Server, credential: Password) -> bool:
    """Whether all are here as they are there. Raises MailError."""
    mine = old_mail.mine(person)
    there = Account(f"{credential.username}@{server.host} (import)", server, server, credential, server)
    with managesieve.connect(there) as connection:
        listed = connection.list()
        scripts = [(one, connection.read(one.name)) for one in listed[:_MOST]]
    added, faults = 0, [f"{len(listed) - _MOST} more scripts are there, and left out"] if len(listed) > _MOST else []
    for script, text in scripts:
        try:
            if len(text) > script_files.LONGEST or not script_files.is_name(script.name) or script_files.is_ours(script.name):
                faults.append(f"{printable(script.name)}: its name or size is none for a script here")
                continue
            added += script_files.save(person.id, mine, script.name, text, "")
            faults += _activated(person, mine, script.name) if script.active else []
        except FiltersChangedError:
            faults.append(f"{printable(script.name)}: there is another script of this name here, which stays")
        except ScriptRefusedError as error:
            faults.append(f"{printable(script.name)}: refused by the mail server here: {printable(error.words)[:500]}")
    click.echo(f"{label}: {len(scripts)} scripts there, {added} copied")
    for fault in faults:
        click.echo(f"  {fault}")
    return not faults


def _activated(person: User, mine: Account, name: str) -> list[str]:
    """Activate it where none is; what is wrong in words."""
    active = next((one.name for one in script_files.listed(mine) if one.active), "")
    if active and active != name:
        return [f"{printable(name)}: copied, but {printable(active)} is active here and stays so"]
    if not active:
        script_files.activate(person.id, mine, name)
    return []
