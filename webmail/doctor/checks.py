"""Doctor: checks all that Traboule depends on, and says in a sentence each what is wrong and what to do. Works with all down."""

from __future__ import annotations

import contextlib
import imaplib
import os
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from imapclient import IMAPClient

from webmail import managesieve, smtp
from webmail.account import Account, Server
from webmail.admin.watching.dns_notes import DnsFinding
from webmail.auth.sessions import mail_sessions
from webmail.auth.sign_in import terms
from webmail.config.settings import ConfigError, Settings, ca_trouble
from webmail.doctor import (
    backup,
    clock,
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
from webmail.doctor.mail_servers import arrivals, forwarding, index, lookup, postfix, roles, sender_rights
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, certificate, lazy_ngettext, told, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import MailError, ServerAwayError, SignInRefusedError, TokenRefusedError
from webmail.imap.connections.connection import authenticate
from webmail.web.formatting import LANGUAGES
from webmail.web.frame.icons import icon_names

# capability -> (severity if missing, what users notice)
_CAPABILITIES = {
    "UIDPLUS": (WARNING, _l("saving drafts and moving messages takes more round trips, and undo may be missing")),
    "MOVE": (WARNING, _l("messages are moved by copying and deleting them")),
    "SPECIAL-USE": (WARNING, _l("Sent, Drafts, Junk and Trash are recognised by their names only")),
    "SORT": (WARNING, _l("lists can be sorted by date only")),
    "THREAD=REFERENCES": (WARNING, _l("conversations can’t be grouped by the server")),
    "QUOTA": (WARNING, _l("people don’t see how much room is left")),
    "CONDSTORE": (WARNING, _l("changes made elsewhere are found by reading all flags again")),
    "LIST-STATUS": (WARNING, _l("the folder list takes one request per folder")),
    "PREVIEW": (WARNING, _l("lists can’t show previews of messages")),
    "METADATA": (WARNING, _l("the mail server’s own spam rule does not know people’s safe senders")),
}


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
    yield from _guarded("IMAP", settings.imap, "imap", lambda: _imap(settings, account))
    yield from _guarded("SMTP", settings.smtp, "smtp", lambda: _smtp(settings, account))
    if settings.sieve:
        yield from _guarded("ManageSieve", settings.sieve, "sieve", lambda: _sieve(settings, account))
    else:
        yield CheckResult(
            "ManageSieve", WARNING, _l("no server is set (sieve_host), so people can’t have filters or absence messages.")
        )
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


# --- servers ---------------------------------------------------------------------------------------------------------


def _guarded(name: str, server: Server, setting: str, checks: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    """Run the checks of one server; errors of all four libraries become a CheckResult."""
    if server.ca_file and server.security != "none" and (trouble := ca_trouble(server.ca_file)):
        yield CheckResult(name, PROBLEM, _l("was not checked: %(why)s.", why=told(trouble)))
        return
    try:
        yield from checks()
    except (SignInRefusedError, TokenRefusedError) as error:
        yield CheckResult(f"{name} sign-in", PROBLEM, _refused(why(error)))
    except (MailError, OSError, imaplib.IMAP4.error, smtplib.SMTPException, ValueError, LookupError) as error:
        yield CheckResult(name, PROBLEM, _explain(error, server, setting))


def _refused(reason: str) -> str:
    return _l(
        "the server refused us (%(why)s). With a password: is it right? With a token: does the server know the public key under "
        "token_key_id, and do issuer, client and both clocks agree within a minute?",
        why=reason,
    )


_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")  # OpenSSL's names
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL
_TLS_PORTS = {"imap": _l("usually 993"), "smtp": _l("usually 465"), "sieve": _l("few servers have one")}


def _explain(error: BaseException, server: Server, setting: str) -> str:
    """One sentence for a connection error."""
    if isinstance(error, ServerAwayError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error.__context__, OSError) and not isinstance(error, OSError):
        error = error.__context__  # sievelib and smtplib hide the original error
    where = f"{server.host} port {server.port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _EXPIRED:
            return _l(
                "the certificate of %(where)s has expired. Renew it, and let the server read it again; if it has not expired, "
                "correct this machine’s clock.",
                where=where,
            )  # fmt: skip
        return _l(
            "the certificate of %(where)s is not trusted (%(why)s). Correct it, this machine’s clock, %(setting)s_host "
            "or ca_file.",
            where=where, why=error.verify_message or why(error), setting=setting,
        )  # fmt: skip
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        about = {"where": where, "setting": setting, "port": _TLS_PORTS[setting]}
        if server.security == "tls":
            return _l(
                '%(where)s does not speak TLS from the first byte: set %(setting)s_security = "starttls", or take the port for '
                "TLS (%(port)s).",
                **about,
            )
        return _l(
            "%(where)s does not speak TLS from the first byte: check %(setting)s_security, or take the port for TLS (%(port)s).",
            **about,
        )
    if isinstance(error, ssl.SSLError):
        return _l(
            "%(where)s does not speak TLS as expected (%(why)s). Check %(setting)s_port and %(setting)s_security.",
            where=where, why=error.reason or why(error), setting=setting,
        )  # fmt: skip
    if isinstance(error, socket.gaierror):
        return _l(
            "the name %(host)s can’t be found. Check %(setting)s_host and this machine’s DNS.", host=server.host, setting=setting
        )
    if isinstance(error, ConnectionRefusedError):
        return _l(
            "nothing listens on %(where)s. Is the server running? Check %(setting)s_host and %(setting)s_port.",
            where=where, setting=setting,
        )  # fmt: skip
    if isinstance(error, TimeoutError):
        about = {"where": where, "seconds": f"{server.timeout:g}", "setting": setting}
        if _takes_connections(server):
            return _l(
                "%(where)s did not answer within %(seconds)s s, but takes connections: look at its log, and check "
                "%(setting)s_port and %(setting)s_security.",
                **about,
            )
        return _l("%(where)s did not answer within %(seconds)s s. Check %(setting)s_port and the firewall.", **about)
    return _l(
        "%(where)s hung up or answered unexpectedly (%(why)s). Check %(setting)s_port and %(setting)s_security.",
        where=where, why=why(error), setting=setting,
    )  # fmt: skip


def _takes_connections(server: Server) -> bool:
    try:
        socket.create_connection((server.host, server.port), server.timeout).close()
    except OSError:
        return False
    return True


def _context(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file or None)


def _imap(settings: Settings, account: Account | None) -> Iterator[CheckResult]:
    server = settings.imap
    context = _context(server) if server.security != "none" else None
    client = IMAPClient(server.host, server.port, ssl=server.security == "tls", ssl_context=context, timeout=server.timeout)
    try:
        if server.security == "starttls":
            client.starttls(context)
        yield _reached("IMAP", server, client.socket())
        mechanisms = {c.decode("ascii", "replace").upper() for c in client.capabilities()}
        yield _mechanisms(
            "IMAP sign-in offered", {m.removeprefix("AUTH=") for m in mechanisms if m.startswith("AUTH=")}, settings
        )
        if account is None:
            yield CheckResult("IMAP capabilities", WARNING, _l("are only known after sign-in: run again with --as ADDRESS."))
            return
        if settings.sign_in == "accounts":
            yield from lookup.examine(settings, context)
        try:
            authenticate(client, account)
        except TokenRefusedError:
            yield from clock.imap(account, refused=True)
            raise
        yield CheckResult("IMAP sign-in", OK, _l("as %(address)s.", address=account.address))
        yield from capabilities(_told(client))
        yield from clock.imap(account, refused=False)
        yield from index.examine(client, server, account.address)
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):  # closed already if TLS failed: keep that error
            client.shutdown()


def _told(client: IMAPClient) -> set[str]:
    return {word.decode("ascii", "replace").upper() for word in client.capabilities()}


def capabilities(available: set[str]) -> Iterator[CheckResult]:
    """Which capabilities the IMAP server lacks, and what users notice."""
    missing = [name for name in _CAPABILITIES if name not in available]
    for name in missing:
        state, noticed = _CAPABILITIES[name]
        yield CheckResult(f"IMAP {name}", state, _l("is not offered: %(noticed)s.", noticed=noticed))
    if not missing:
        words = _l("all that are looked for: %(names)s.", names=", ".join(_CAPABILITIES))
        yield CheckResult("IMAP capabilities", OK, words)


class _KeepsGreeting(smtplib.SMTP):
    """What the server says first, which smtplib forgets."""

    greeting = b""

    def connect(self, *arguments: Any, **named: Any) -> tuple[int, bytes]:
        code, self.greeting = super().connect(*arguments, **named)
        return code, self.greeting


class _KeepsGreetingOverTls(_KeepsGreeting, smtplib.SMTP_SSL):
    pass


def _smtp(settings: Settings, account: Account | None = None) -> Iterator[CheckResult]:
    server = settings.smtp
    if server.security == "tls":
        client: _KeepsGreeting = _KeepsGreetingOverTls(server.host, server.port, timeout=server.timeout, context=_context(server))
    else:
        client = _KeepsGreeting(server.host, server.port, timeout=server.timeout)
    try:
        client.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            client.starttls(context=_context(server))
            client.ehlo()
        assert client.sock is not None  # for mypy: connected since the constructor
        yield _reached("SMTP", server, client.sock)
        yield _mechanisms("SMTP sign-in offered", set(client.esmtp_features.get("auth", "").upper().split()), settings)
        yield size(client.esmtp_features.get("size"), settings)
        yield from clock.greeting("SMTP", server, client.greeting)
    finally:
        client.close()
    if account is not None and client.has_extn("auth"):
        yield (signed_in := _smtp_sign_in(account))
        if signed_in.state == OK:
            yield sender_rights.examine(account, settings)


def _smtp_sign_in(account: Account) -> CheckResult:
    name = "SMTP sign-in"
    try:
        smtp.check(account)
    except ServerAwayError as error:
        if isinstance(error, TokenRefusedError) or error.__cause__ is not None:
            raise
        return CheckResult(name, PROBLEM, _unchecked(why(error)))
    return CheckResult(name, OK, _l("as %(address)s.", address=account.address))


def _unchecked(reason: str) -> str:
    if trouble := postfix.milter_trouble():
        return _l("the server answers but could not check it (%(why)s). Postfix %(trouble)s", why=reason, trouble=trouble)
    return _l(
        "the server answers but could not check it (%(why)s). Is the service running that it asks about passwords (Dovecot, for "
        "Postfix)? Look at the mail server’s log.",
        why=reason,
    )


def size(announced: str | None, settings: Settings) -> CheckResult:
    """Whether the server accepts messages of message_limit_mb (SIZE, RFC 1870)."""
    name, limit = "SMTP size", settings.message_limit
    if announced is None or not announced.strip().isdecimal() or not int(announced):
        return CheckResult(name, OK, _l("the server names no limit."))
    about = {"taken": f"{int(announced) / 1024**2:.1f}", "written": settings.message_limit_mb}
    if int(announced) < limit:
        words = _l(
            "the server takes %(taken)s MB, people may write %(written)s MB: lower message_limit_mb or raise the server’s limit.",
            **about,
        )
        return CheckResult(name, PROBLEM, words)
    return CheckResult(name, OK, _l("the server takes %(taken)s MB, people may write %(written)s MB.", **about))


def _sieve(settings: Settings, account: Account | None) -> Iterator[CheckResult]:
    server = settings.sieve
    assert server is not None  # examine() checked
    greeting = managesieve.greet(server)
    about = {"server": greeting.implementation or server.host, "count": len(greeting.extensions)}
    yield CheckResult("ManageSieve", OK, _l("%(server)s answers, %(count)s extensions.", **about))
    if greeting.certificate:
        yield certificate("ManageSieve certificate", greeting.certificate)
    if account is not None:
        try:
            with managesieve.connect(account) as connection:
                scripts = connection.list()
        except TokenRefusedError:
            raise
        except ServerAwayError as error:
            yield CheckResult(
                "ManageSieve sign-in", PROBLEM, _l("the connection was lost (%(why)s): look at the server’s log.", why=why(error))
            )
            return
        yield CheckResult("ManageSieve sign-in", OK, _has_scripts(account.address, scripts))


def _has_scripts(address: str, scripts: Sequence[managesieve.Script]) -> str:
    """How many there are; Dovecot lists the establishment's default one under that name, as everybody's."""
    own = [script for script in scripts if script.name != "default"]
    if len(own) == len(scripts):
        return lazy_ngettext("as %(address)s: %(num)d script.", "as %(address)s: %(num)d scripts.", len(own), address=address)
    return lazy_ngettext(
        "as %(address)s: %(num)d script besides the default one.", "as %(address)s: %(num)d scripts besides the default one.",
        len(own), address=address,
    )  # fmt: skip


def _reached(name: str, server: Server, sock: Any) -> CheckResult:
    about = {"host": server.host, "port": server.port}
    if server.security == "none":
        return CheckResult(name, OK, _l("%(host)s port %(port)s answers, without TLS, on this machine only.", **about))
    found = certificate(name, sock.getpeercert())
    words = _l("%(host)s port %(port)s answers; %(certificate)s", **about, certificate=found.words)
    return CheckResult(name, found.state, words, found.days)


def _mechanisms(name: str, choices: set[str], settings: Settings) -> CheckResult:
    """Whether the server offers the SASL mechanism we use."""
    wanted = "OAUTHBEARER" if settings.token_key_file else "PLAIN"
    offered = ", ".join(sorted(choices))
    if wanted in choices or (wanted == "PLAIN" and "LOGIN" in choices):
        return CheckResult(name, OK, f"{offered}.")
    if wanted == "PLAIN" and name.startswith("IMAP") and not choices:
        return CheckResult(name, OK, "LOGIN.")  # the IMAP command, which needs no SASL mechanism
    if not choices:
        words = _l("%(wanted)s is needed, and nothing is offered. Allow it in the server’s configuration.", wanted=wanted)
        return CheckResult(name, PROBLEM, words)
    words = _l(
        "%(wanted)s is needed and not offered (offered: %(offered)s). Allow it in the server’s configuration.",
        wanted=wanted, offered=offered,
    )  # fmt: skip
    return CheckResult(name, PROBLEM, words)


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
