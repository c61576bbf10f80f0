"""Doctor, arrived messages: waits for a message of one's own in somebody's mailbox, and takes it away again."""

from __future__ import annotations

import contextlib
import ssl
import time

from imapclient import IMAPClient

from webmail.config.settings import Settings
from webmail.imap.connections.connection import authenticate

PATIENCE = 30.0  # seconds
_MAILBOXES = ("INBOX", "Junk")


def wait_for(message_id: str, recipient: str, settings: Settings, *, remove: bool = False) -> tuple[str, bytes] | None:
    """The mailbox that a message has come to and its header, None if it does not come within PATIENCE; needs a token key.

    With `remove`, it is deleted. Raises MailError, OSError and imaplib's errors.
    """
    account, server = settings.account(recipient), settings.imap
    context = ssl.create_default_context(cafile=server.ca_file or None) if server.security != "none" else None
    client = IMAPClient(server.host, server.port, ssl=server.security == "tls", ssl_context=context, timeout=server.timeout)
    try:
        if server.security == "starttls":
            client.starttls(context)
        authenticate(client, account)
        end = time.monotonic() + PATIENCE
        while True:
            for mailbox in _MAILBOXES:
                if header := _found(client, mailbox, message_id, remove):
                    return mailbox, header
            if time.monotonic() > end:
                return None
            time.sleep(0.2)
    finally:
        with contextlib.suppress(OSError, client.Error):  # closed already if TLS failed: keep that error
            client.shutdown()


def _found(client: IMAPClient, mailbox: str, message_id: str, remove: bool) -> bytes:
    """The header of the message, b"" if it is not there."""
    if not client.folder_exists(mailbox):
        return b""
    client.select_folder(mailbox, readonly=not remove)
    uids = client.search(["HEADER", "Message-ID", message_id])
    if not uids:
        return b""
    data = client.fetch(uids[:1], ["BODY.PEEK[HEADER]"])[uids[0]]
    if remove:
        client.delete_messages(uids[:1], silent=True)
        if client.has_capability("UIDPLUS"):
            client.uid_expunge(uids[:1])
    return bytes(data[b"BODY[HEADER]"])
