"""IDLE: notification of changes in a mailbox (RFC 2177), over a dedicated connection."""

from __future__ import annotations

import select
import ssl
from contextlib import suppress

from webmail.account import Account
from webmail.errors import NotAllowedError
from webmail.imap.connections.commands import mailbox_name, refusal, translated
from webmail.imap.connections.connection import Connection

_CHANGES = ("EXISTS", "EXPUNGE", "FETCH")


class Watch:
    """A connection outside the pool that only idles. Not thread-safe. Must always be closed."""

    def __init__(self, account: Account, mailbox: str) -> None:
        """Connect, sign in and EXAMINE `mailbox`, which leaves `\\Recent` to other sessions: 1 round trip after the sign-in.
        Raises ServerAwayError, SignInRefusedError, NoSuchMailboxError, and NotAllowedError if the server has no IDLE."""
        self._connection = Connection(account)
        self._tag = b""  # of the IDLE under way
        try:
            if not self._connection.has("IDLE"):
                raise NotAllowedError("the IMAP server has no IDLE")
            self._connection.run((b"EXAMINE", mailbox_name(mailbox)))
        except BaseException:
            self.close()
            raise

    def changed(self, seconds: float, bell: int = -1) -> bool:
        """Wait at most `seconds` for the server. True if messages arrived, were removed or changed their flags. If the file
        descriptor `bell` becomes readable, the wait ends too, with False.

        May return False early: servers send keep-alives. Changes between two calls are reported by the next. A server may
        disconnect after 30 minutes of IDLE: start a new Watch well before. 1 round trip to start IDLE, 1 when the server sent
        something. Raises ServerAwayError.
        """
        imap = self._connection.client._imap
        with translated():
            if not self._tag:
                self._begin()
            if not any(kind in imap.untagged_responses for kind in _CHANGES) and not self._speaks(seconds, bell):
                return False
            tag, self._tag = self._tag, b""
            imap.send(b"DONE\r\n")
            kind, words = imap._get_tagged_response(tag)  # reads all untagged responses before it
            told = set(imap.untagged_responses)
            imap.untagged_responses.clear()
        if kind != "OK":
            raise refusal("IDLE", words)
        return not told.isdisjoint(_CHANGES)

    def close(self) -> None:
        """Disconnect. Idempotent."""
        self._connection.close()

    def _begin(self) -> None:
        imap = self._connection.client._imap
        self._connection.in_step = False  # from now on: LOGOUT is not allowed while idling
        tag = imap._new_tag()
        imap.send(tag + b" IDLE\r\n")
        while imap._get_response() is not None:  # None: the server's "+"
            if answer := imap.tagged_commands[tag]:
                raise refusal("IDLE", answer[1])
        self._tag = tag

    def _speaks(self, seconds: float, bell: int) -> bool:
        """Whether data arrives within `seconds`. Never reads with a timeout: a partial line would be lost."""
        client = self._connection.client
        socket, before = client.socket(), client.socket().gettimeout()
        socket.setblocking(False)
        try:
            with suppress(ssl.SSLWantReadError):
                if client._imap.file.peek(1):  # already buffered with the "+", so poll() would not see it
                    return True
        finally:
            socket.settimeout(before)
        poll = select.poll()  # select() is limited to 1024 open files
        poll.register(socket, select.POLLIN)
        if bell >= 0:
            poll.register(bell, select.POLLIN)
        return any(spoke != bell for spoke, _ in poll.poll(seconds * 1000))
