"""Command line of large files: `flask --app wsgi transfers sweep, list, show, close, send, limit, totals`. Never names of
files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from webmail.api import answer_bodies, transfer_files, transfer_sending
from webmail.api.error_kinds import problem_of
from webmail.api.problems import ProblemError
from webmail.api.transfer_sending import TransferWishes
from webmail.cli.audit import noted
from webmail.cli.values import account_of, bytes_of, printable, room_of
from webmail.errors import MailError
from webmail.models import AuditAct, Transfer, TransferEvent, TransferRecipient, User
from webmail.storage import StorageAwayError
from webmail.transfers import additions, assembly, content, limits, overview, store
from webmail.transfers.notifications import recipients
from webmail.transfers.public import reports
from webmail.web.current import settings

transfers = AppGroup("transfers", help="Large files that are sent as links: what is stored, how much a person may store.")
_MOST = 10_000
_CHUNK = 1 << 20  # bytes


@transfers.command("sweep")
def sweep() -> None:
    """End what is past its date and delete what is over, as the worker does; pieces of files that nothing names go too."""
    additions.sweep()
    recipients.sweep(settings())  # first: deleting may take minutes
    gone = 0
    while step := store.sweep(settings()):
        gone += step
    recipients.sweep(settings())
    try:
        strays = content.sweep_strays(settings())
    except StorageAwayError as error:
        raise click.ClickException(
            f"{gone} transfers deleted; their files can't be reached, so nothing more was: {error}"
        ) from error
    click.echo(f"{gone} transfers deleted, {strays} stray pieces")


@transfers.command("list")
@click.argument("address", required=False)
@click.option("--closed", is_flag=True, help="Those that are over, as long as they are remembered.")
def show_list(address: str | None, closed: bool) -> None:
    """List transfers, the largest first: number, owner, bytes, files, downloads, end (UTC), state, open reports of abuse."""
    user = account_of(address) if address else None
    page, more = 1, True
    while more and (page - 1) * overview.SIZE < _MOST:
        rows, more = overview.listed(page, owner=user, closed=closed)
        for one in rows:
            click.echo(_line(one))
        page += 1


def _line(overseen: overview.Overseen) -> str:
    transfer = overseen.transfer
    end = f"{transfer.closed or transfer.expires:%Y-%m-%dT%H:%MZ}"
    columns = (
        transfer.id,
        transfer.owner.address,
        overseen.size,
        overseen.files,
        overseen.downloads,
        end,
        transfer.state,
        overseen.reports,
    )
    return "\t".join(printable(str(column)) for column in columns)


@transfers.command("show")
@click.argument("number", type=int)
def show(number: int) -> None:
    """Show what happened to a transfer: times (UTC), what, and to whom its link was mailed; no names of files, no link."""
    transfer = _transfer(number)
    click.echo(f"owner: {transfer.owner.address}")
    click.echo(f"state: {transfer.state}{f' by {transfer.closed_by}' if transfer.closed_by else ''}")
    click.echo(f"until: {transfer.expires:%Y-%m-%dT%H:%MZ}")
    rows = TransferEvent.select(TransferEvent, TransferRecipient).left_outer_join(TransferRecipient)
    for event in rows.where(TransferEvent.transfer == transfer).order_by(TransferEvent.id).limit(_MOST):
        who = event.recipient.address if event.recipient is not None else "-"
        click.echo(f"{event.at:%Y-%m-%dT%H:%M:%SZ}\t{event.kind}\t{printable(who)}")


@transfers.command("close")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Its owner is told.")
def close(number: int, reason: str) -> None:
    """End a transfer: nobody can download it any more, its files are deleted, and its owner is mailed with the reason."""
    transfer = _transfer(number)
    if not store.close(transfer, "admin", reason):
        raise click.ClickException(f"transfer {number} is over already")
    reports.settle_all(transfer, "administrator")
    noted(AuditAct.TRANSFER_CLOSED, transfer.owner.address, transfer=number, reason=reason[:300])
    recipients.settle(transfer, settings())
    store.purge(transfer, settings())
    click.echo(f"{number}: closed")


@transfers.command("send")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "sender", required=True, help="Whose transfer it is, within their limits.")
@click.option(
    "--to", "people", multiple=True, help="Who is mailed the link; may be given several times. Nobody: it is only printed."
)
@click.option("--subject", default="")
@click.option("--message", default="")
@click.option("--days", type=click.IntRange(1, 3650), default=None, help="For how many days the link works.")
def send(files: tuple[Path, ...], sender: str, people: tuple[str, ...], subject: str, message: str, days: int | None) -> None:
    """Send files of this machine as links, as somebody who has an account; prints the link."""
    with force_locale("en"):  # there is no request that would say which
        sent = _sent(account_of(sender), files, TransferWishes(people, " ".join(subject.split()), message, days=days or 0))
    noted(AuditAct.TRANSFER_SENT, sent.owner.address, transfer=sent.id)
    click.echo(f"{sent.id}\t{answer_bodies.link('transfers.show', link=store.link_token(sent, settings()))}")


def _sent(user: User, files: tuple[Path, ...], wishes: TransferWishes) -> Transfer:
    """What can't be sent is forgotten, with what was stored of it."""
    made = None
    try:
        made = transfer_sending.begin(user, wishes, settings())
        for file in files:
            with file.open("rb") as opened:
                chunks = iter(partial(opened.read, _CHUNK), b"")
                transfer_files.store_file(made, file.name, file.stat().st_size, chunks, settings())
        return transfer_sending.publish(made, user, settings())
    except (ProblemError, MailError, OSError) as error:
        if made is not None:
            assembly.drop(made, settings())
        raise click.ClickException(_reason(error)) from error


def _reason(error: Exception) -> str:
    problem = problem_of(error) if isinstance(error, MailError) else error
    if not isinstance(problem, ProblemError):
        return printable(str(error))
    faults = [f"{one['at']}: {one['fault']}" for one in problem.more.get("errors", ())]
    return printable("; ".join([f"{problem.document('')['title']}: {problem.detail}".rstrip(": "), *faults]))


@transfers.command("limit")
@click.argument("address")
@click.argument("size", required=False)
def limit(address: str, size: str | None) -> None:
    """Set how much a person may store (5G, 500M; 0: as much as there is room for; usual: as the settings say), or show it."""
    user = account_of(address)
    if size is not None:
        most = None if size == "usual" else bytes_of(size)
        overview.set_limit(user, most)
        noted(AuditAct.TRANSFER_LIMIT_SET, user.address, room=size[:40])
    allowed = limits.of_person(user, settings())
    click.echo(f"{user.address}\t{limits.used_by(user, allowed)} bytes used\t{room_of(allowed)}")


@transfers.command("totals")
def totals() -> None:
    """Show how much everybody has stored, and how much room is left."""
    found = overview.totals(settings())
    click.echo(f"people\t{found.people}")
    click.echo(f"transfers\t{found.transfers}")
    click.echo(f"stored\t{found.stored}")
    click.echo(f"still to come\t{found.awaited} (files: {found.under_way})")
    click.echo(f"promised\t{found.promised} (room kept for them, while bytes come)")
    click.echo(f"free\t{'unknown' if found.left is None else found.left}")
    click.echo(f"kept free\t{found.reserve}")
    click.echo(f"limit\t{found.most or 'none'}")
    if lost := overview.unreadable(settings()):
        click.echo(f"files that secret_key does not open\t{lost} (`doctor` says what to do)")


def _transfer(number: int) -> Transfer:
    found = Transfer.get_or_none(Transfer.id == number)
    if found is None:
        raise click.ClickException(f"there is no transfer {number}; `transfers list` shows all")
    return found
