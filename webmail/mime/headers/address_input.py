"""Address input: parses and validates what a person typed into To, Cc or Bcc, and encodes domains (IDNA)."""

from __future__ import annotations

import re
import unicodedata

from webmail.errors import BadAddressError
from webmail.mail import Address
from webmail.mime.headers.addresses import read_address, split_list
from webmail.mime.headers.encoded_words import tidy

_ATOMS = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x20\x7f]+")
_QUOTED = re.compile(r'"[^"\\\s<>,;\x00-\x1f\x7f]+"')  # without characters that servers handle differently
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.I)
_DOTS = str.maketrans("。．｡", "...")  # RFC 3490 section 3.1
_LITERAL = re.compile(r"\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9a-f:.]+)\]", re.I)


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Parse addresses separated by commas, semicolons or line ends; names, quotes, comments and groups as in headers.

    Internationalized domains stay as typed (`ascii_address` encodes them for sending). Raises BadAddressError with the invalid
    item; a line end inside a quoted name is invalid.
    """
    found: list[Address] = []
    for piece in split_list(text.replace("\r\n", "\n").replace("\r", "\n"), separators=",;\n"):
        typed = piece.strip()
        if not typed:
            continue
        address = read_address(typed)
        if "\n" in typed or "\0" in typed or address is None or not _deliverable(address.email):
            raise BadAddressError(tidy(typed)[:200])
        bare = "<" not in typed and "(" not in typed
        if bare and "@" in address.name:  # two addresses separated by a space
            raise BadAddressError(tidy(typed)[:200])
        if bare and not typed.startswith('"') and ":" not in typed and re.search(r"\s", typed):  # "a b@c.example" is ambiguous
            raise BadAddressError(tidy(typed)[:200])
        if typed.count("<") > 1 or ("<" in typed and not re.search(r">\s*(?:\(.*\)\s*)?\Z", typed)):
            raise BadAddressError(tidy(typed)[:200])
        found.append(address)
    return tuple(found)


def _deliverable(email: str) -> bool:
    """Whether an address is valid (RFC 5321 sections 4.1.2 and 4.5.3.1, RFC 6531 for non-ASCII)."""
    local, at, domain = email.rpartition("@")
    if not at or not local or len(local.encode("utf-8", "replace")) > 64 or len(email) > 254:
        return False
    if not _QUOTED.fullmatch(local) and not (
        _ATOMS.fullmatch(local) and not local.startswith(".") and not local.endswith(".") and ".." not in local
    ):
        return False
    if _LITERAL.fullmatch(domain):
        return True
    try:
        return all(_LABEL.fullmatch(label) and len(label) < 64 for label in ascii_domain(domain).split("."))
    except UnicodeError:
        return False


def ascii_domain(domain: str) -> str:
    """Encode a domain for DNS ("xn--..."). Raises UnicodeError if it is invalid. Uses Python's IDNA 2003 codec, except for
    the letters that IDNA 2008 treats as distinct."""
    if domain.isascii():
        return domain
    return ".".join(_ascii_label(label) for label in domain[:253].translate(_DOTS).split("."))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    if not set("ßẞς") & set(label):
        return label.encode("idna").decode("ascii")
    # IDNA 2003 would map these to another domain: "straße.example" is not "strasse.example" (RFC 5894 section 7.2)
    plain = unicodedata.normalize("NFC", label.lower().replace("ß", "ss").replace("ς", "σ"))
    plain.encode("idna")  # raises UnicodeError if the label is invalid
    return "xn--" + unicodedata.normalize("NFC", label.lower()).encode("punycode").decode("ascii")


def shown_domain(domain: str) -> str:
    """Decode a domain for display ("xn--..." to Unicode). Raises UnicodeError if it would not encode back to the same domain."""
    shown = ".".join(
        label[4:].encode("ascii").decode("punycode") if label.lower().startswith("xn--") else label for label in domain.split(".")
    )
    if not all(mark.isalnum() or mark in "-." or unicodedata.combining(mark) for mark in shown):
        raise UnicodeError(f"{domain!r} would not be readable")
    if ascii_domain(shown).lower() != domain.lower():
        raise UnicodeError(f"{domain!r} is not what {shown!r} stands for")
    return shown


def ascii_address(email: str) -> str:
    """Encode the domain of an address in ASCII; the local part stays (RFC 6531 if non-ASCII). Raises BadAddressError."""
    local, at, domain = email.rpartition("@")
    try:
        return f"{local}{at}{ascii_domain(domain)}"
    except UnicodeError:
        raise BadAddressError(tidy(email)[:200]) from None


def address_key(email: str) -> str:
    """Normalize an address, for comparison and deduplication. Never raises."""
    try:
        return ascii_address(email).lower()
    except BadAddressError:  # not valid yet while it is being typed, or never: it stands in a message
        return email.lower()
