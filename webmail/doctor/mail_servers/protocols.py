"""Doctor, protocols: whether IMAP, SMTP and ManageSieve answer, with what Traboule needs, and take a person's sign-in."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from imapclient import IMAPClient

from webmail import managesieve, smtp
from webmail.account import Account, Server
from webmail.config.settings import Settings, ca_trouble
from webmail.doctor import clock
from webmail.doctor.mail_servers import index, lookup, postfix, sender_rights
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, certificate, lazy_ngettext, told, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import MailError, ServerAwayError, SignInRefusedError, TokenRefusedError
from webmail.imap.connections.connection import authenticate

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


def examine(settings: Settings, account: Account | None) -> Iterator[CheckResult]:
    """Each server in turn, signed in to as `account` where there is one. Each gets `server_timeout` seconds per response."""
    yield from _guarded("IMAP", settings.imap, "imap", lambda: _imap(settings, account))
    yield from _guarded("SMTP", settings.smtp, "smtp", lambda: _smtp(settings, account))
    if settings.sieve:
        yield from _guarded("ManageSieve", settings.sieve, "sieve", lambda: _sieve(settings, account))
    else:
        yield CheckResult(
            "ManageSieve", WARNING, _l("no server is set (sieve_host), so people can’t have filters or absence messages.")
        )


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
