"""Command line of forwarding: `flask --app wsgi forwarding list`, `forwarding off ADDRESS`."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext

from webmail import preferences
from webmail.account import Account
from webmail.cli.audit import noted
from webmail.cli.values import account_of, printable
from webmail.errors import MailError
from webmail.filters import store
from webmail.filters.forwarding import forward_change, forward_targets, script_redirects
from webmail.filters.forwarding.forward_texts import forwarding_turned_off
from webmail.models import AuditAct, ForwardTarget, User
from webmail.web.current import settings

forwarding = AppGroup("forwarding", help="Mail that people have forwarded to other addresses.")


@forwarding.command("list")
@click.argument("address", default="")
@click.option("--scripts", is_flag=True, help="Ask the mail server what active scripts send on: slow, and complete.")
@with_appcontext
def list_forwarding(address: str, scripts: bool) -> None:
    """List who forwards their mail where, or one person: address, target, whether a copy stays, until when (UTC)."""
    only = User.address == account_of(address).address if address else User.active == 1
    if scripts:
        _list_scripts(list(User.select().where(only).order_by(User.domain, User.local)))
        return
    mine = ForwardTarget.select(ForwardTarget, User).join(User).where(ForwardTarget.active, only)
    rows = list(mine.order_by(User.domain, User.local, ForwardTarget.address))
    for row in rows:
        until = f"until {row.until:%Y-%m-%dT%H:%MZ}" if row.until else "until turned off"
        proof = "confirmed" if row.confirmed else "not confirmed"
        kept = "copy kept" if row.keeps_copy else "no copy"
        click.echo(f"{row.user.address}\t{printable(row.address)}\t{kept}\t{until}\t{proof}")
    if not rows:
        click.echo("Nobody forwards their mail, as far as was seen here; --scripts asks the mail server.")


def _list_scripts(people: list[User]) -> None:
    found = 0
    for user in people:
        try:
            sent_on = script_redirects.targets(_account(user))
        except MailError as error:
            click.echo(f"{user.address}\tthe mail server did not tell: {printable(str(error))}", err=True)
            continue
        for name, address in sent_on:
            found += 1
            click.echo(f"{user.address}\t{printable(address)}\tscript {printable(name)}")
    if not found:
        click.echo("No active script sends mail on.")


@forwarding.command("off")
@click.argument("address")
@with_appcontext
def end_forwarding(address: str) -> None:
    """Turn a person's forwarding off, and tell them by mail. Filters and scripts of other programs stay as they are."""
    user = account_of(address)
    account = _account(user)
    try:
        before = forward_change.without(user, account, settings())
    except MailError as error:
        words = printable(str(error))
        raise click.ClickException(f"the mail server did not take this, and nothing was changed: {words}") from error
    if before.on:
        noted(AuditAct.FORWARDING_ENDED, user.address, address=" ".join(before.addresses))
        forwarding_turned_off(user, before)
        click.echo(f"mail for {user.address} is no longer forwarded to {printable(', '.join(before.addresses))}")
    else:
        click.echo(f"{user.address} had no forwarding")
    try:
        state = store.load(account)
    except MailError as error:
        click.echo(f"whether another program's script is active, the mail server did not tell: {printable(str(error))}", err=True)
        return
    if state.other:
        click.echo(f"another program's script is active, {printable(state.other)}: see forwarding list --scripts")
    forward_targets.keep(user, state)


def _account(user: User) -> Account:
    if settings().sieve is None:
        raise click.ClickException("there is no ManageSieve server: set sieve_host")
    if not settings().token_key_file:
        raise click.ClickException("without token_key_file nobody but the person can sign in to the mail server as them")
    return preferences.with_roles(settings().account(user.address), user)
