"""Autoconfiguration: what Thunderbird and Outlook are told when somebody types an address of ours into them.

Nobody is asked who they are, so it depends on the domain alone: that an address has an account is not told. Thunderbird reads
`clientConfig` (draft-ietf-mailmaint-autoconfig), Outlook the answer of Autodiscover (MS-OXDSCLI).
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from webmail.auth.devices.servers import DeviceServer, dav_address, domains, mail_servers, user_name
from webmail.config.settings import Settings
from webmail.mime import safe_xml
from webmail.mime.headers.address_input import address_key
from webmail.mime.safe_xml import XmlBounds, XmlRefusedError

LONGEST_REQUEST = 8 * 1024  # bytes; Outlook's has some 400
_BOUNDS = XmlBounds(size=LONGEST_REQUEST, depth=8, elements=200)
_LONGEST_ADDRESS = 254

_ANSWERS = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"


class BadRequestError(Exception):
    """What was sent is no request of Autodiscover."""


@dataclass(frozen=True, slots=True)
class AutodiscoverRequest:
    """A request of Autodiscover: the address, and the schema of the answers that the program takes."""

    address: str
    schema: str


def serves(address: str, settings: Settings) -> bool:
    """Whether the domain of an address is ours; so is no address at all."""
    return not address or address_key(address.strip()).rpartition("@")[2] in domains(settings)


# --- Thunderbird -----------------------------------------------------------------------------------------------------


def client_config(settings: Settings, *, dav: bool) -> bytes | None:
    """The document, the same for everybody; None where no server is known by a name. `dav`: calendars and contacts too."""
    servers, ours = mail_servers(settings), domains(settings)
    if not servers or not ours:
        return None
    root = Element("clientConfig", version="1.1")
    provider = SubElement(root, "emailProvider", id=ours[0])
    for one in ours:
        _put(provider, "domain", one)
    _put(provider, "displayName", settings.name)
    _put(provider, "displayShortName", settings.name)
    name = "%EMAILADDRESS%" if "@" in user_name("any@where", settings) else "%EMAILLOCALPART%"
    for server in servers:
        _server(provider, server, name)
    if dav and dav_address(settings):
        for tag, kind in (("addressBook", "carddav"), ("calendar", "caldav")):
            part = SubElement(root, tag, type=kind)
            _put(part, "username", name)
            _put(part, "authentication", "http-basic")
            _put(part, "serverURL", dav_address(settings))
    if settings.public_url:
        SubElement(SubElement(root, "webMail"), "loginPage", url=settings.public_url)
    return _document(root)


def _server(provider: Element, server: DeviceServer, name: str) -> None:
    incoming = server.use == "imap"
    part = SubElement(provider, "incomingServer" if incoming else "outgoingServer", type=server.use)
    _put(part, "hostname", server.host)
    _put(part, "port", str(server.port))
    _put(part, "socketType", {"tls": "SSL", "starttls": "STARTTLS"}.get(server.security, "plain"))
    _put(part, "authentication", "password-cleartext")
    _put(part, "username", name)


# --- Outlook ---------------------------------------------------------------------------------------------------------


def read_request(body: bytes) -> AutodiscoverRequest:
    """What Outlook asks. Raises BadRequestError."""
    try:
        root = safe_xml.parse(body, _BOUNDS, namespaces=False)
    except XmlRefusedError as error:
        raise BadRequestError(str(error)) from error
    address, schema = (
        "".join(one.text or "" for one in root.iter(name)).strip() for name in ("EMailAddress", "AcceptableResponseSchema")
    )
    if not address.isprintable() or "@" not in address or len(address) > _LONGEST_ADDRESS:
        raise BadRequestError("no address")
    return AutodiscoverRequest(address, schema or OUTLOOK)


def outlook_answer(request: AutodiscoverRequest, settings: Settings) -> bytes | None:
    """The servers, for whoever asks about an address of ours; None where none is known by a name."""
    servers = mail_servers(settings)
    if not servers or not serves(request.address, settings):
        return None
    if request.schema != OUTLOOK:  # telephones ask for ActiveSync, which is not spoken here
        return _refusal("601", "Provider not found")
    root = Element("Autodiscover", xmlns=_ANSWERS)
    response = SubElement(root, "Response", xmlns=OUTLOOK)
    _put(SubElement(response, "User"), "DisplayName", request.address)
    account = SubElement(response, "Account")
    _put(account, "AccountType", "email")
    _put(account, "Action", "settings")
    for server in servers:
        part = SubElement(account, "Protocol")
        for tag, words in _protocol(server, user_name(request.address, settings)):
            _put(part, tag, words)
    return _document(root)


def _protocol(server: DeviceServer, name: str) -> list[tuple[str, str]]:
    told = [
        ("Type", server.use.upper()), ("Server", server.host), ("Port", str(server.port)), ("DomainRequired", "off"),
        ("LoginName", name), ("SPA", "off"), ("SSL", "on" if server.security == "tls" else "off"),
        ("Encryption", {"tls": "SSL", "starttls": "TLS"}.get(server.security, "None")), ("AuthRequired", "on"),
    ]  # fmt: skip
    return [*told, ("UsePOPAuth", "off"), ("SMTPLast", "off")] if server.use == "smtp" else told


def _refusal(code: str, text: str) -> bytes:
    root = Element("Autodiscover", xmlns=_ANSWERS)
    error = SubElement(SubElement(root, "Response"), "Error")
    _put(error, "ErrorCode", code)
    _put(error, "Message", text)
    return _document(root)


def _put(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _document(root: Element) -> bytes:
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))
