"""Doctor: checks all that Traboule depends on, and says in a sentence each what is wrong and what to do. Works with all down."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from webmail.admin.watching.dns_notes import DnsFinding
from webmail.auth.sessions import mail_sessions
from webmail.auth.sign_in import terms
from webmail.config.settings import ConfigError, Settings
from webmail.doctor import (
    backup,
    devices,
    directory,
    dns,
    encryption,
    filesender,
    machine,
    providers,
    public,
    scanner,
    storage,
    transfers,
    web,
)
from webmail.doctor.mail_servers import arrivals, forwarding, postfix, protocols, roles
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.web.formatting import LANGUAGES
from webmail.web.frame.icons import icon_names


def examine(
    settings: Settings, address: str = "", password: str | None = None, dns_found: Iterable[DnsFinding] | None = None
) -> Iterator[CheckResult]:
    """Run all checks, yielding each result at once. With `address`, also sign in to IMAP and ManageSieve as that person.

    `address` needs `password` if there is no token key. `dns_found`: what DNS is known to have;
    None: it is asked. Each server gets `server_timeout` seconds per response.
    """
    account = None
    if address:
        try:
            account = settings.account(address, password=password)
        except (ConfigError, OSError, ValueError) as error:
            yield CheckResult(
                "Sign-in key", PROBLEM, _l("can’t sign in as %(address)s: %(why)s.", address=address, why=why(error))
            )
    yield from protocols.examine(settings, account)
    yield from _mail_programs(settings)
    yield from arrivals.examine(settings)
    yield from directory.examine(settings)
    yield from postfix.examine(settings)
    yield from providers.examine(settings)
    yield from filesender.examine(settings)
    yield from forwarding.examine(settings)
    yield from forwarding.answers(settings)
    yield from devices.examine(settings)
    yield from web.examine(settings)
    yield from dns.examine(settings) if dns_found is None else dns.results(dns_found)
    yield from scanner.examine(settings)
    yield from establishment(settings)
    yield from storage.examine(settings)
    yield from machine.examine(settings)
    yield from roles.examine(settings)
    yield from backup.examine(settings)
    yield from transfers.examine(settings)
    yield from encryption.examine()


def _mail_programs(settings: Settings) -> Iterator[CheckResult]:
    """Whether Dovecot ends what mail programs have open, where it reads our accounts: asked for those of no app password."""
    if settings.sign_in != "accounts":
        return
    if not settings.doveadm_url:
        words = _l("doveadm_url is not set: what mail programs have open stays open when a password is changed or revoked.")
        yield CheckResult("Mail programs", WARNING, words)
    elif mail_sessions.end_app_password(0, "nobody", settings) is None:
        words = _l("Dovecot can’t be told to close connections. Check doveadm_url and doveadm_key (the file traboule.key).")
        yield CheckResult("Mail programs", PROBLEM, words)
    elif not settings.dovecot_sockets:
        words = _l("dovecot_sockets is not set: a connection that has looked into somebody else’s folders stays open.")
        yield CheckResult("Mail programs", WARNING, words)
    elif not os.access(settings.dovecot_sockets, os.X_OK):
        words = _l(
            "%(folder)s can’t be opened: some connections stay open when a password is changed or revoked. Let the user of "
            "Traboule in (deploy/dovecot/render.py names its group).",
            folder=settings.dovecot_sockets,
        )
        yield CheckResult("Mail programs", PROBLEM, words)
    else:
        yield CheckResult("Mail programs", OK, _l("Dovecot closes what they have open when a password is changed or revoked."))


def establishment(settings: Settings) -> Iterator[CheckResult]:
    """Whether the establishment can write to people itself, with links that lead here."""
    yield from public.examine(settings)
    if settings.system_address:
        words = _l(
            "is sent as %(address)s; try it with `flask --app wsgi doctor --mail ADDRESS`.", address=settings.system_address
        )
        yield CheckResult("System mail", OK, words)
    else:
        yield CheckResult("System mail", WARNING, _l("no sender is set (system_address), so no system mail can be sent."))
    yield from _terms(settings)
    yield from _links(settings)


def _terms(settings: Settings) -> Iterator[CheckResult]:
    """Texts that can't be shown: nobody is asked to accept them meanwhile."""
    found = dict.fromkeys(file for language in LANGUAGES for file in terms.files(settings, language))
    for file in found:
        try:
            terms.read(file)
        except terms.TermsUnreadableError as error:
            yield CheckResult(
                "Terms of use", PROBLEM, _l("%(why)s; meanwhile nobody is asked to accept them (terms_file).", why=why(error))
            )
        else:
            yield CheckResult(
                "Terms of use", OK, _l("%(file)s, version %(version)s.", file=file.name, version=settings.terms_version)
            )


def _links(settings: Settings) -> Iterator[CheckResult]:
    """Links with an icon that does not exist."""
    for number, link in enumerate(settings.links, 1):
        if link.icon and link.icon not in icon_names():
            words = _l(
                "%(name)s (entry %(number)s) has no icon, as none is called “%(icon)s”; there are %(known)s.",
                name=link.name, number=number, icon=link.icon, known=", ".join(sorted(icon_names())),
            )  # fmt: skip
            yield CheckResult("Links", WARNING, words)
