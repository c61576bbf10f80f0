"""Links of devices: what a telephone reads from a picture or opens by a click, so that nothing has to be typed."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from webmail.auth.devices.servers import DeviceServer, dav_address, mail_servers, user_name
from webmail.config.settings import Settings
from webmail.mime.headers.address_input import ascii_address

_SECURITY = {"none": 0, "starttls": 2, "tls": 3}
_IMAP, _SMTP, _PASSWORD = 0, 0, 1  # protocols, and how one signs in


def davx5_link(address: str, settings: Settings) -> str:
    """Opens DAVx5 with the address of the server and the user name; the password is typed. `public_url` must be set."""
    parts = urlsplit(dav_address(settings))
    return f"davx5://{quote(user_name(address, settings), safe='')}@{parts.netloc}{parts.path}"


def thunderbird_code(address: str, name: str, password: str, settings: Settings) -> str:
    """The account as Thunderbird for Android reads it from a picture: its "Export for Mobile" format, version 1.

    "" where a server is not known by a name. It holds the password.
    """
    servers = {server.use: server for server in mail_servers(settings)}
    if len(servers) < 2:
        return ""
    user, mail = user_name(address, settings), ascii_address(address)
    incoming = [_IMAP, *_server(servers["imap"]), user, None, password]
    outgoing = [_SMTP, *_server(servers["smtp"]), user, password]
    return json.dumps([1, [1, 1], incoming, [[outgoing, [mail, name or mail]]]], separators=(",", ":"), ensure_ascii=False)


def _server(server: DeviceServer) -> list[object]:
    return [server.host, server.port, _SECURITY[server.security], _PASSWORD]
