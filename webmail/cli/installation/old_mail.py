"""Command line of mail in bulk: `flask --app wsgi import mail FILE --server HOST`."""

from __future__ import annotations

import ipaddress
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import with_appcontext

from webmail import imap, preferences
from webmail.account import Account, Password, Security, Server
from webmail.admin.imports import old_accounts
from webmail.admin.imports.old_accounts import MasterUser, MasterWay, OldAccount, OldAccountsError
from webmail.auth import account_management
from webmail.auth.sign_in.names import normalise
from webmail.cli.values import printable
from webmail.errors import MailError, ServerAwayError, SignInRefusedError
from webmail.mailbox.imports.bulk_copy import CopyReport, MailboxCopying
from webmail.mailbox.imports.copied_mail import CopiedMail, CopiedMailError
from webmail.models import User
from webmail.tasks.kinds import TaskFailedError
from webmail.web.current import settings

log = logging.getLogger(__name__)

_WAYS = [way.value for way in MasterWay]
_SECONDS = 30.0  # for each response of the old server
_TRIES, _WAIT = 3, 5.0  # where a server is away; seconds between
_REFUSED_AT_FIRST = 5  # people in a row whose sign-in there is refused, before anybody's was not
_SHOWN_EVERY = 2.0  # seconds, on a terminal; elsewhere sixty

_WORDS = {
    "too-large": "larger than 100 MB",
    "refused": "refused by the mail server here",
    "unreadable": "the old server does not open this folder",
    "flag": "the mail server here does not keep this flag",
    "mailbox-too-small": "the mailbox here has too little space: give it a larger quota (`accounts change quota`)",
    "over-quota": "the mailbox here is full: give it a larger quota (`accounts change quota`)",
    "not-allowed": "a folder here takes no messages",
    "no-folder": "a folder could not be made here",
    "old-sign-in": "the old server refuses the sign-in",
}


def from_old_server(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say how one signs in on an old server."""
    options = (
        click.option("--server", required=True, help="The old server: HOST or HOST:PORT."),
        click.option("--security", type=click.Choice(["tls", "starttls", "none"]), default=None, help="Else by the port."),
        click.option("--ca-file", default="", help="Certificate authority of the old server, if not the system's."),
        click.option("--master", default="", help="The old server's master user. Without it the file has a column `password`."),
        click.option("--way", type=click.Choice(_WAYS), default="separator", show_default=True, help="How the master signs in."),
        click.option("--separator", default="*", show_default=True, help="Between the person and the master, as one name."),
        click.option(
            "--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
            help="With the master's password, mode 600. It is asked for without it.",
        ),
        click.option("--only", default="", help="One person alone, by their new address."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def server_of(text: str, security: Security | None, ca_file: str, ports: dict[int, Security]) -> Server:
    """An old server; `ports`: the usual ones, that with which one begins first. Raises ClickException."""
    host, _colon, number = text.strip().rpartition(":") if text.count(":") == 1 else (text.strip("[] "), "", "")
    port = int(number) if number.isdigit() else next(iter(ports))
    if not host or (number and not number.isdigit()) or not 0 < port < 65536:
        raise click.ClickException(f"{printable(text)} is no server such as imap.old.example or imap.old.example:993")
    chosen = security or ("none" if _is_this_machine(host) else ports.get(port, "tls"))
    if chosen == "none" and not _is_this_machine(host):
        raise click.ClickException("passwords go unencrypted to this machine alone: use tls or starttls")
    return Server(host, port, chosen, _SECONDS, ca_file)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def accounts_in(file: Path) -> list[OldAccount]:
    try:
        return old_accounts.read(file)
    except OldAccountsError as error:
        raise click.ClickException(f"{file}: {printable(str(error))}") from error


def master_of(name: str, way: str, separator: str, password_file: Path | None) -> MasterUser | None:
    """None: each line has a password. Raises ClickException."""
    if not name:
        return None
    try:
        password = (
            old_accounts.read_password(password_file) if password_file else click.prompt(f"Password of {name}", hide_input=True)
        )
    except OldAccountsError as error:
        raise click.ClickException(f"{password_file}: {error}") from error
    return MasterUser(name, password, MasterWay(way), separator)


def credential_of(line: OldAccount, master: MasterUser | None) -> Password | None:
    """None where the line has no password, and there is no master user."""
    if master is not None:
        return master.credential(line.old)
    return Password(line.old, line.password) if line.password else None


def mine(user: User) -> Account:
    return preferences.with_roles(settings().account(user.address), user)


def people_of(accounts: list[OldAccount], only: str) -> list[tuple[OldAccount, User | None]]:
    """Those that are wanted, with their account here."""
    wanted = normalise(only, settings().domain) if only else ""
    found = []
    for one in accounts:
        address = normalise(one.new, settings().domain)
        if not only or address == wanted:
            found.append((one, account_management.find(address, settings().domain) if address else None))
    if not found:
        raise click.ClickException("the file names nobody" if not only else f"the file does not name {printable(only)}")
    return found


def need_tokens() -> None:
    if not settings().token_key_file:
        raise click.ClickException(
            "the webmail needs token_key_file, by which the mail server here trusts it: it knows nobody's password"
        )


@click.command("mail")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@from_old_server
@click.option("--copied", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Where what was copied is noted.")
@with_appcontext
def import_mail(
    file: Path,
    server: str,
    security: Security | None,
    ca_file: str,
    master: str,
    way: str,
    separator: str,
    password_file: Path | None,
    only: str,
    copied: Path | None,
) -> None:
    """Copy the mailboxes of many people from an old IMAP server. FILE is a CSV file with the columns old, new, password.

    Killed or not, type it again: it goes on, and later brings what is new there and flags that changed there. It deletes nothing.
    What was copied is noted beside FILE, in FILE.copied: keep it until the old server is switched off.
    """
    need_tokens()
    people = people_of(accounts_in(file), only)
    there = server_of(server, security, ca_file, {993: "tls", 143: "starttls"})
    user = master_of(master, way, separator, password_file)
    try:
        notes = CopiedMail(copied or file.with_name(f"{file.name}.copied"))
    except (CopiedMailError, OSError) as error:
        raise click.ClickException(f"what was copied can't be noted: {printable(str(error))}") from error
    try:
        wrong = _BulkCopy(there, user, notes).copy(people)
    finally:
        notes.close()
    if wrong:
        raise click.ClickException(f"{wrong} of {len(people)} were not copied whole; type it again after that")
    click.echo(f"{len(people)} of {len(people)} were copied whole")


class _BulkCopy:
    def __init__(self, server: Server, master: MasterUser | None, notes: CopiedMail) -> None:
        self._server, self._master, self._notes = server, master, notes
        self._let_in = False
        self._refused = 0  # sign-ins there, before one was taken

    def copy(self, people: list[tuple[OldAccount, User | None]]) -> int:
        """How many were not copied whole."""
        wrong = 0
        for number, (one, user) in enumerate(people, 1):
            label = f"{number}/{len(people)} {printable(one.old)} -> {printable(one.new)}"
            if user is None:
                click.echo(f"{label}: there is no such account here")
                wrong += 1
            elif (credential := credential_of(one, self._master)) is None:
                click.echo(f"{label}: the line has no password")
                wrong += 1
            else:
                wrong += not self._copy_one(label, one, user, credential)
            if self._refused >= _REFUSED_AT_FIRST and not self._let_in:
                raise click.ClickException(f"the old server refused the first {self._refused} sign-ins: is the password right?")
        return wrong

    def _copy_one(self, label: str, line: OldAccount, user: User, credential: Password) -> bool:
        account = Account(f"{line.old}@{self._server.host} (import)", self._server, self._server, credential)
        kept = self._notes.mailbox(f"{self._server.host}:{self._server.port} {line.old} {user.address}")
        total = CopyReport()
        fault = ""
        for tries in range(_TRIES):
            copying = MailboxCopying(user, mine(user), account, kept, _progress_of(label))
            try:
                copying.copy()
                self._let_in, fault = True, ""
            except TaskFailedError as error:
                fault = _WORDS.get(error.reason, error.reason)
                if error.reason == "old-sign-in":
                    self._refused += 1
            except SignInRefusedError:
                fault = "the mail server here refuses the sign-in"
            except ServerAwayError as error:
                fault = f"a server stopped answering: {printable(str(error))[:200]}"
                self._let_in = self._let_in or copying.report.folders > 0
            except MailError as error:
                fault = printable(str(error))[:200]
            except Exception as error:  # an old server may say anything, and others wait
                log.exception("copying %s", account.address)
                fault = f"something unexpected, see the log: {type(error).__name__}"
            finally:
                imap.close_all_of(account.address)
            _sum_up(total, copying.report)
            if not fault.startswith("a server") or tries == _TRIES - 1:
                break
            time.sleep(_WAIT)
        _tell(label, total, fault)
        return not fault and not total.failed


def _sum_up(total: CopyReport, report: CopyReport) -> None:
    """Of several tries: what was there already at the last one is what the ones before had brought."""
    total.folders, total.failed, total.refused = report.folders or total.folders, report.failed, report.refused
    total.present += report.present
    total.added += report.added
    total.skipped, total.changed = report.skipped, total.changed + report.changed


def _tell(label: str, report: CopyReport, fault: str) -> None:
    click.echo(
        f"{label}: {report.folders} folders; messages: {report.added} copied, {report.present} there already, "
        f"{report.skipped} deleted there, {report.failed} refused; flags of {report.changed} changed"
    )
    for name, reason in report.refused:
        click.echo(f"  {printable(name)}: {_WORDS.get(reason, reason)}")
    if report.failed > len(report.refused):
        click.echo(f"  ... and {report.failed - len(report.refused)} more")
    if fault:
        click.echo(f"  NOT WHOLE: {fault}")


def _progress_of(label: str) -> Callable[[int, int], None]:
    """Progress on standard error: often on a terminal, each minute in a log."""
    shown = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal shown
        every = _SHOWN_EVERY if sys.stderr.isatty() else 60.0
        if time.monotonic() - shown >= every:
            shown = time.monotonic()
            click.echo(f"{label}: {done} of {total}", err=True)

    return show
