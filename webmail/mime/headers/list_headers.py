"""List headers: how to subscribe to and unsubscribe from a mailing list, write to it or its owner, its archive and help
(RFC 2369, RFC 8058). Untrusted input.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote

from webmail.mail import ListContact, MailingList
from webmail.mime.headers.headers import decode, fields
from webmail.mime.html.linkify import web_address

_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]\\%]{1,64}@[^\s<>,;:\"()\[\]\\@%]{1,253}")
_LONGEST_SUBJECT = 200
_LONGEST_BODY = 1000
_MOST = 10  # URLs of one header
_CONTACTS = ("subscribe", "post", "owner", "help", "archive")


def mailing_list(raw: bytes) -> MailingList:
    """Parse the list headers of a header block. Never raises; anything but http(s) and mailto URLs is ignored.

    Of each kind the first URL counts (RFC 2369 section 2). One-click needs an https URL in addition to its own header (RFC 8058
    section 3.1).
    """
    found = fields(raw)
    leave = _addresses(found.get("list-unsubscribe", []))
    web = next((url for each in leave if (url := web_address(each))), "")
    secure = next((url for each in leave if each[:8].lower() == "https://" and (url := web_address(each))), "")
    wish = "".join(decode(value) for value in found.get("list-unsubscribe-post", [])[:1])
    one_click = bool(secure) and re.sub(r"\s", "", wish).lower() == "list-unsubscribe=one-click"
    to, subject, body = next((mail for each in leave if (mail := _mail(each))[0]), ("", "", ""))
    return MailingList(
        leave_web=secure or web,
        one_click=one_click,
        leave_mail=to,
        leave_subject=subject,
        leave_body=body,
        archive=_web(found.get("list-archive", [])),
        help=_web(found.get("list-help", [])),
        contacts=tuple(one for kind in _CONTACTS if (one := _contact(kind, found.get(f"list-{kind}", [])))),
    )


def _addresses(values: list[bytes]) -> list[str]:
    """The URLs between angle brackets, white space removed (RFC 2369 section 2)."""
    text = decode(b",".join(values[:3])[:8192])
    return [re.sub(r"\s", "", each) for each in re.findall(r"<([^<>]*)>", text)[:_MOST]]


def _web(values: list[bytes]) -> str:
    return next((url for each in _addresses(values) if (url := web_address(each))), "")


def _contact(kind: str, values: list[bytes]) -> ListContact | None:
    """The first web page and the first address of a header; None if there is neither (List-Post may say "NO")."""
    urls = _addresses(values)
    web = next((url for each in urls if (url := web_address(each))), "")
    to, subject, body = next((mail for each in urls if (mail := _mail(each))[0]), ("", "", ""))
    return ListContact(kind, web, to, subject, body) if web or to else None


def _mail(address: str) -> tuple[str, str, str]:
    """The recipient, subject and body of a mailto URL (RFC 6068), all bounded; the recipient is "" if it is not a valid one."""
    scheme, _colon, rest = address.partition(":")
    to, _question, query = rest.partition("?")
    to = unquote(to)
    if scheme.lower() != "mailto" or not _ADDRESS.fullmatch(to):
        return "", "", ""
    wanted = {name.lower(): value for name, value in parse_qsl(query.replace("+", "%2B"))[:20]}
    subject = " ".join(wanted.get("subject", "").split())[:_LONGEST_SUBJECT]
    body = "".join(c for c in wanted.get("body", "") if c.isprintable() or c == "\n")[:_LONGEST_BODY]
    return to, subject, body
