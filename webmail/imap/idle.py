"""Being told by the server that something changed in a mailbox (IDLE, RFC 2177), over a connection of its own."""

from __future__ import annotations

import select
import ssl
from contextlib import suppress

from webmail.account import Account
from webmail.errors import NotAllowed
from webmail.imap.commands import mailbox_name, refusal, translated
from webmail.imap.connection import Connection

_CHANGES = ("EXISTS", "EXPUNGE", "FETCH")


class Watch:
    """A connection outside of the pool that does nothing but listen. Not thread-safe. Close it in every case."""

    def __init__(self, account: Account, mailbox: str) -> None:
        """Dial, sign in and EXAMINE `mailbox`, which takes nothing away from other sessions (`\\Recent`): 1 round trip after
        the sign-in. Raises ServerAway, SignInRefused, NoSuchMailbox, and NotAllowed where the server has no IDLE."""
        self._connection = Connection(account)
        self._tag = b""  # of the IDLE under way
        try:
            if not self._connection.has("IDLE"):
                raise NotAllowed("the IMAP server has no IDLE")
            self._connection.run((b"EXAMINE", mailbox_name(mailbox)))
        except BaseException:
            self.close()
            raise

    def changed(self, seconds: float, bell: int = -1) -> bool:
        """Wait at most so many seconds for the server to speak. True when messages came, went or changed their flags.
        What can be read from the descriptor `bell` ends the wait too, with False.

        False may come early: servers say now and then that they are still there. What changes between two calls is told by
        the next. A server may hang up on whoever idles for 30 minutes: begin anew well before. 1 round trip to begin where
        none is under way, 1 where something was said. Raises ServerAway.
        """
        imap = self._connection.client._imap
        with translated():
            if not self._tag:
                self._begin()
            if not any(kind in imap.untagged_responses for kind in _CHANGES) and not self._speaks(seconds, bell):
                return False
            tag, self._tag = self._tag, b""
            imap.send(b"DONE\r\n")
            kind, words = imap._get_tagged_response(tag)  # reads all that was said before it
            told = set(imap.untagged_responses)
            imap.untagged_responses.clear()
        if kind != "OK":
            raise refusal("IDLE", words)
        return not told.isdisjoint(_CHANGES)

    def close(self) -> None:
        """Hang up; twice does no harm."""
        self._connection.close()

    def _begin(self) -> None:
        imap = self._connection.client._imap
        self._connection.in_step = False  # until it is closed: a LOGOUT would be no command while idling
        tag = imap._new_tag()
        imap.send(tag + b" IDLE\r\n")
        while imap._get_response() is not None:  # None: the server's "+"
            if answer := imap.tagged_commands[tag]:
                raise refusal("IDLE", answer[1])
        self._tag = tag

    def _speaks(self, seconds: float, bell: int) -> bool:
        """Whether there is something to read within `seconds`. Never reads with a timeout: half a line would be lost."""
        client = self._connection.client
        socket, before = client.socket(), client.socket().gettimeout()
        socket.setblocking(False)
        try:
            with suppress(ssl.SSLWantReadError):
                if client._imap.file.peek(1):  # came together with the "+": poll() knows nothing of it
                    return True
        finally:
            socket.settimeout(before)
        poll = select.poll()  # select() knows no more than 1024 open files
        poll.register(socket, select.POLLIN)
        if bell >= 0:
            poll.register(bell, select.POLLIN)
        return any(spoke != bell for spoke, _ in poll.poll(seconds * 1000))
