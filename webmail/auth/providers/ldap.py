"""LDAP: asks a directory who somebody is, and checks their password by binding as them (RFC 4511, RFC 4513). No Flask here.

The only module that needs python-ldap; it is imported where `[ldap]` is set. A conversation has one connection and `timeout`
seconds for all of it. Options are set on the connection, never for the whole process. Nothing is followed elsewhere: no
referrals, no aliases. Everything but a password that does not fit raises DirectoryAwayError, with the directory's own words.
"""

from __future__ import annotations

import re
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import ldap
import ldap.dn
import ldap.filter
from ldap.controls import SimplePagedResultsControl
from ldap.ldapobject import SimpleLDAPObject

from webmail.config.providers import Ldap
from webmail.errors import EnglishText as _l
from webmail.errors import ServerAwayError, SignInRefusedError

PAGE = 500  # entries in an answer, of all people
_MOST_PEOPLE = 1_000_000
_LONGEST_VALUE = 1000  # bytes; longer ones are nobody's name or address
_MOST_VALUES = 1000  # of one attribute
_LONGEST_DN = 250  # characters, as what somebody is known by
_IDENTIFIERS = ("entryUUID", "objectGUID")  # operational at OpenLDAP: asked for by name
_CERTIFICATES = (
    "userCertificate",
    "userCertificate;binary",
    "userSMIMECertificate",
    "userSMIMECertificate;binary",
)  # RFC 4523, 2798
_MOST_CERTIFICATES, _LARGEST_CERTIFICATE = 5, 64 * 1024  # of one attribute; bytes
_PLACE = re.compile(r"\{(name|address)\}")
_EQUALITY = re.compile(r"\(([A-Za-z][\w.-]*)=([^()*]*\{(?:name|address)\}[^()*]*)\)")

_NOT_THE_PASSWORD = (  # answers to a bind as somebody: a wrong password, or an account that the directory itself has locked
    ldap.INVALID_CREDENTIALS, ldap.INAPPROPRIATE_AUTH, ldap.CONSTRAINT_VIOLATION, ldap.UNWILLING_TO_PERFORM,
    ldap.INSUFFICIENT_ACCESS, ldap.NO_SUCH_OBJECT, ldap.INVALID_DN_SYNTAX,
)  # fmt: skip


class DirectoryAwayError(ServerAwayError):
    """The directory could not be asked: away, slow, not trusted, or set up in another way than the settings say."""


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """Somebody in the directory. `subject`: entryUUID, objectGUID or the DN. Values by small names of attributes."""

    dn: str
    subject: str
    values: Mapping[str, list[str]] = field(default_factory=dict)

    def all(self, attribute: str) -> list[str]:
        return self.values.get(attribute.lower(), []) if attribute else []

    def first(self, attribute: str) -> str:
        return next(iter(self.all(attribute)), "")


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """The addresses of somebody in the directory (lower case), and their certificates (DER; or in a wrapping, PKCS #7)."""

    addresses: tuple[str, ...]
    values: tuple[bytes, ...] = field(repr=False)


class DirectoryTalk:
    """A connection to the directory, as the service account until somebody's password is tried on it."""

    def __init__(self, settings: Ldap, ca_file: str = "") -> None:
        self._settings = settings
        self._ca_file = ca_file
        self._end = time.monotonic() + settings.timeout
        self._connection: SimpleLDAPObject | None = None

    # --- one step after the other (the doctor takes them one by one) ---

    def reach(self) -> None:
        """Connect, with TLS: always, but on this machine where no certificate authority is set. 1 to 4 round trips."""
        there = self._settings
        plain = there.is_here and not (there.starttls and self._ca_file)
        with _told(_l("the directory could not be reached")):
            self._connection = self._new_connection()
            if there.url.startswith("ldap:") and not plain:
                self._connection.start_tls_s()

    def sign_in(self) -> None:
        """Bind as the service account, or anonymously. 1 round trip."""
        with _told(_l("the directory refused bind_dn and bind_password")):
            self._bind(self._settings.bind_dn, self._settings.bind_password if self._settings.bind_dn else "")

    def find(self, name: str, address: str) -> list[DirectoryEntry]:
        """Who has this name and may sign in: at most two, as more are as bad as two. 1 round trip."""
        return self._search(self._who(_search_filter(self._settings.filter, name, address)))

    def find_subject(self, subject: str) -> list[DirectoryEntry]:
        """The entry of this subject, if it may sign in still. 1 round trip."""
        if subject.startswith("dn:"):
            return self._search(self._who("(objectClass=*)"), subject.removeprefix("dn:"), ldap.SCOPE_BASE)
        with suppress(ValueError):
            number = uuid.UUID(subject)
            guid = "".join(f"\\{byte:02x}" for byte in number.bytes_le)
            return self._search(self._who(f"(|(entryUUID={number})(objectGUID={guid}))"))
        return []

    def find_addresses(self, addresses: Sequence[str]) -> list[DirectoryEntry]:
        """Who has one of these as their address, whether they may sign in or not; at most two. 1 round trip."""
        attribute = self._settings.address_attribute
        either = "".join(f"({attribute}={ldap.filter.escape_filter_chars(one)})" for one in addresses)
        return self._search(f"(|{either})")

    def find_people(self, texts: Sequence[str], most: int) -> list[DirectoryEntry]:
        """Whom `people_filter` lists, and in whose name or address each of the words stands, at most `most`. 1 round trip."""
        there = self._settings
        escaped = map(ldap.filter.escape_filter_chars, texts)
        each = "".join(f"(|({there.name_attribute}=*{word}*)({there.address_attribute}=*{word}*))" for word in escaped)
        wanted = f"(&{there.people_filter}{there.active_filter}{each})"
        attributes = [there.address_attribute, there.name_attribute, "title", "department", "ou", *_IDENTIFIERS]
        first = SimplePagedResultsControl(True, size=most, cookie="")  # with a limit of size nothing would be told beyond it
        with _told(_l("the directory could not be searched")):
            found, _controls = self._ask(wanted, there.base, ldap.SCOPE_SUBTREE, attributes, 0, [first])
        return [_entry(dn, values) for dn, values in found if dn]

    def find_certificates(self, addresses: Sequence[str], most: int) -> list[CertificateEntry]:
        """The certificates of those whom `people_filter` lists and who have one of these addresses. 1 round trip."""
        there = self._settings
        escaped = (ldap.filter.escape_filter_chars(one) for one in addresses)
        either = "".join(f"({there.address_attribute}={one})" for one in escaped)
        wanted = f"(&{there.people_filter}{there.active_filter}(|{either}))"
        with _told(_l("the directory could not be searched")):
            found, _controls = self._ask(wanted, there.base, ldap.SCOPE_SUBTREE, [there.address_attribute, *_CERTIFICATES], most)
        return [_certificates(values, there.address_attribute.lower()) for dn, values in found if dn]

    def try_password(self, entry: DirectoryEntry | None, password: str) -> None:
        """Bind as this entry, or as nobody, so that it takes as many round trips to say no. Raises SignInRefusedError. 1 round
        trip.

        An empty password is refused here: a server takes it for an anonymous bind, and says yes (RFC 4513 section 5.1.2).
        """
        dn = entry.dn if entry is not None else f"cn={uuid.uuid4()},{self._settings.base}"
        if not password or "\0" in password or not dn:
            raise SignInRefusedError("not a password")
        with _told(_l("the directory could not check the password")):
            try:
                self._bind(dn, password)
            except _NOT_THE_PASSWORD as error:
                raise SignInRefusedError(f"the directory says no to {dn}: {_error_text(error)}") from error
        if entry is None:
            raise SignInRefusedError("the directory knows nobody of this name")

    def everybody(self) -> Iterator[str]:
        """The subjects of all who may sign in, PAGE at a time, each page with the time of a whole conversation. Raises
        DirectoryAwayError where the answer is not whole: then nothing follows from who is not in it.
        """
        control = SimplePagedResultsControl(True, size=PAGE, cookie="")
        wanted = self._who(_PLACE.sub("*", self._settings.filter))
        for _page in range(_MOST_PEOPLE // PAGE):
            self._end = time.monotonic() + self._settings.timeout
            with _told(_l("the directory could not be searched")):
                found, controls = self._ask(wanted, self._settings.base, ldap.SCOPE_SUBTREE, list(_IDENTIFIERS), 0, [control])
            if any(dn is None for dn, _values in found):
                raise DirectoryAwayError(_l("the directory refers to other servers for some people: choose a base without them"))
            yield from (_entry(dn, values).subject for dn, values in found)
            told = [one for one in controls if one.controlType == SimplePagedResultsControl.controlType]
            if not told:
                raise DirectoryAwayError(_l("the directory does not give its people page by page"))
            if not told[0].cookie:
                return
            control.cookie = told[0].cookie
        raise DirectoryAwayError(_l("the directory does not come to an end"))

    def has_base(self) -> bool:
        """Whether the entry below which people are is there, and may be seen. 1 round trip."""
        try:
            return bool(self._ask("(objectClass=*)", self._settings.base, ldap.SCOPE_BASE, ["1.1"], 1)[0])
        except ldap.NO_SUCH_OBJECT:
            return False

    def close(self) -> None:
        if self._connection is not None:
            with suppress(ldap.LDAPError):
                self._connection.unbind_s()
            self._connection = None

    # --- below ---

    def _new_connection(self) -> SimpleLDAPObject:
        connection = ldap.initialize(self._settings.url)
        for option, value in (
            (ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3),
            (ldap.OPT_REFERRALS, ldap.OPT_OFF),
            (ldap.OPT_DEREF, ldap.DEREF_NEVER),
            (ldap.OPT_RESTART, ldap.OPT_OFF),
            (ldap.OPT_NETWORK_TIMEOUT, self._left()),
            (ldap.OPT_TIMEOUT, self._left()),
            (ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND),
            (ldap.OPT_X_TLS_CACERTFILE, self._ca_file or _system_authorities()),
            (ldap.OPT_X_TLS_PROTOCOL_MIN, 0x303),  # TLS 1.2
            (ldap.OPT_X_TLS_NEWCTX, 0),  # last: a context of its own, with what stands above
        ):
            if value is not None:
                connection.set_option(option, value)
        return connection

    def _bind(self, dn: str, password: str) -> None:
        connection = self._open()
        kind, _data, _number, _controls = connection.result3(connection.simple_bind(dn, password), timeout=self._left())
        if kind != ldap.RES_BIND:
            raise DirectoryAwayError(_l("the directory did not answer the question"))

    def _who(self, wanted: str) -> str:
        return f"(&{wanted}{self._settings.active_filter})" if self._settings.active_filter else wanted

    def _search(self, wanted: str, base: str = "", scope: int = ldap.SCOPE_SUBTREE) -> list[DirectoryEntry]:
        there = self._settings
        attributes = [there.address_attribute, there.name_attribute, there.groups_attribute, there.quota_attribute]
        attributes += [one for one, _value in _EQUALITY.findall(there.filter)]
        with _told(_l("the directory could not be searched")):
            try:
                found, _controls = self._ask(
                    wanted, base or there.base, scope, [*_IDENTIFIERS, *dict.fromkeys(filter(None, attributes))], 2
                )
            except ldap.SIZELIMIT_EXCEEDED:
                return [DirectoryEntry("", ""), DirectoryEntry("", "")]  # more than two
            except ldap.NO_SUCH_OBJECT:
                if base:
                    return []
                raise
        return [_entry(dn, values) for dn, values in found if dn]  # without a DN: references to other servers

    def _ask(
        self, wanted: str, base: str, scope: int, attributes: list[str], most: int, controls: list[Any] | None = None
    ) -> tuple[list[Any], list[Any]]:
        with _told(_l("the directory could not be searched"), ldap.SIZELIMIT_EXCEEDED if most else None, ldap.NO_SUCH_OBJECT):
            connection, left = self._open(), self._left()
            number = connection.search_ext(base, scope, wanted, attributes, serverctrls=controls, timeout=left, sizelimit=most)
            _kind, found, _number, told = connection.result3(number, timeout=left)
        return found, told

    def _open(self) -> SimpleLDAPObject:
        assert self._connection is not None, "reach() comes first"
        return self._connection

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise DirectoryAwayError(_l("the directory took longer than %(seconds)s s", seconds=f"{self._settings.timeout:g}"))
        return left


@contextmanager
def conversation(settings: Ldap, ca_file: str = "") -> Iterator[DirectoryTalk]:
    """Reach the directory and sign in as the service account. Raises DirectoryAwayError."""
    talk = DirectoryTalk(settings, ca_file)
    try:
        talk.reach()
        talk.sign_in()
        yield talk
    finally:
        talk.close()


def is_called(entry: DirectoryEntry, settings: Ldap, name: str, address: str) -> bool:
    """Whether what was typed is what the entry says, letter by letter but for case.

    Directories also find "rené" by "rene" and by many other spellings: each would have tries of its own for the same password.
    """
    wanted = [
        (one, _PLACE.sub(lambda place: _value(place[1], name, address), text)) for one, text in _EQUALITY.findall(settings.filter)
    ]
    return not wanted or any(text.lower() in (value.lower() for value in entry.all(one)) for one, text in wanted)


def group_name(value: str) -> str:
    """The name of a group that is told by its DN: the value of its first part; of others the name itself."""
    with suppress(ldap.DECODING_ERROR, IndexError):
        if "=" in value:
            return str(ldap.dn.str2dn(value)[0][0][1])
    return value


def _search_filter(pattern: str, name: str, address: str) -> str:
    """The filter, with what was typed escaped for it (RFC 4515 section 3)."""
    return _PLACE.sub(lambda place: ldap.filter.escape_filter_chars(_value(place[1], name, address)), pattern)


def _value(position: str, name: str, address: str) -> str:
    return name if position == "name" else address


def _entry(dn: str, values: Mapping[str, list[bytes]]) -> DirectoryEntry:
    """Attributes may come in other letters than they were asked for, and with options: `memberOf;range=0-1499`."""
    named = {name.partition(";range=")[0].lower(): found for name, found in values.items()}
    texts = {name: _texts(found) for name, found in named.items()}
    return DirectoryEntry(dn, _subject(dn, named), texts)


def _certificates(values: Mapping[str, list[bytes]], address_attribute: str) -> CertificateEntry:
    """Servers put ";binary" behind some names, asked for so or not."""
    named = {name.lower(): found for name, found in values.items()}
    found = [one for name in _CERTIFICATES for one in named.get(name.lower(), [])[:_MOST_CERTIFICATES]]
    addresses = (text.lower() for text in _texts(named.get(address_attribute, [])))
    return CertificateEntry(tuple(addresses), tuple(one for one in found if len(one) <= _LARGEST_CERTIFICATE))


def _subject(dn: str, values: Mapping[str, list[bytes]]) -> str:
    """What stays the same when the person is renamed or moved; else the DN, in one spelling."""
    if texts := _texts(values.get("entryuuid", [])):
        return texts[0].lower()
    if (found := values.get("objectguid")) and len(found[0]) == 16:
        return str(uuid.UUID(bytes_le=found[0]))
    with suppress(ldap.DECODING_ERROR):
        dn = ldap.dn.dn2str(ldap.dn.str2dn(dn))
    if len(dn) > _LONGEST_DN:
        words = _l("the directory shows neither entryUUID nor objectGUID, and a DN is too long to know somebody by")
        raise DirectoryAwayError(words)
    return f"dn:{dn.lower()}"


def _texts(values: list[bytes]) -> list[str]:
    found = []
    for value in values[:_MOST_VALUES]:
        if len(value) <= _LONGEST_VALUE:
            with suppress(UnicodeDecodeError):
                found.append(value.decode())
    return found


def _system_authorities() -> str | None:
    return ssl.get_default_verify_paths().cafile


@contextmanager
def _told(what: str, *but: type[ldap.LDAPError] | None) -> Iterator[None]:
    """Errors of the library, but for some, as DirectoryAwayError with what could not be done."""
    try:
        yield
    except tuple(filter(None, but)):
        raise
    except ldap.REFERRAL as error:
        raise DirectoryAwayError(_l("the directory refers to another server, which is not followed")) from error
    except (ldap.LDAPError, OSError, ValueError) as error:
        raise DirectoryAwayError(_l("%(what)s: %(why)s", what=what, why=_error_text(error))) from error


def _error_text(error: BaseException) -> str:
    """What the library or the directory says, in one line. Never holds a password."""
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    words = [str(told[key]) for key in ("desc", "info") if told.get(key)] or [str(error) or type(error).__name__]
    return " ".join(" – ".join(words).split())[:300]
