"""Dialling: a connection to an IMAP server, by its name or to addresses of it that were checked before."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from imapclient import IMAPClient

from webmail.account import Server


def dial(server: Server, seconds: float) -> IMAPClient:
    """Connect, to one of the server's addresses where these are given: the name is not looked up again."""
    context = _context(server) if server.security != "none" else None
    places = server.addresses or (server.host,)
    for left, place in zip(range(len(places), 0, -1), places, strict=True):
        try:
            return _dial_at(server, place, context, seconds / len(places))
        except ssl.SSLError:
            raise
        except OSError:
            if left == 1:
                raise
    raise OSError(f"{server.host} has no address")


def _dial_at(server: Server, position: str, context: ssl.SSLContext | None, seconds: float) -> IMAPClient:
    client = IMAPClient(position, server.port, ssl=server.security == "tls", ssl_context=context, timeout=seconds, use_uid=True)
    if server.security == "starttls":
        try:
            client.starttls(context)
        except BaseException:
            client.shutdown()
            raise
    return client


def _context(server: Server) -> ssl.SSLContext:
    usual = ssl.create_default_context(cafile=server.ca_file or None)
    if not server.addresses:
        return usual
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.name, context.verify_flags = server.host, usual.verify_flags
    if server.ca_file:
        context.load_verify_locations(cafile=server.ca_file)
    else:
        context.load_default_certs()
    return context


class _NamedContext(ssl.SSLContext):
    """Asks for the certificate of the server's name, whichever address is connected to."""

    name = ""

    def wrap_socket(self, sock: socket.socket, *given: Any, **named: Any) -> ssl.SSLSocket:
        return super().wrap_socket(sock, *given, **{**named, "server_hostname": self.name})
