"""Account queue: work on accounts that no page waits for, one after the other, in a thread that ends when nothing waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from webmail.account import Account
from webmail.errors import MailError
from webmail.imap.connections.connection import Connection

log = logging.getLogger(__name__)

MOST_WAITING = 50  # accounts; who finds no place is served at a later page

Work = TypeVar("Work")
Answer = TypeVar("Answer")


class AccountQueue(Generic[Work]):
    """`do` is called with each account and its work, in the order in which they were put. What it raises stops no other."""

    def __init__(self, name: str, do: Callable[[Account, Work], None]) -> None:
        self._name = name
        self._do = do
        self._worker: threading.Thread | None = None
        self.waiting: dict[Account, Work] = {}
        self.lock = threading.RLock()  # of `waiting`; held while nothing shall begin

    def put(self, account: Account, work: Work) -> None:
        """Returns at once. An account that waits already keeps its place, with this work instead."""
        with self.lock:
            if account not in self.waiting and len(self.waiting) >= MOST_WAITING:
                return
            self.waiting[account] = work
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._worker.start()

    def _serve(self) -> None:
        while True:
            with self.lock:
                if not self.waiting:
                    self._worker = None
                    return
                account = next(iter(self.waiting))
                work = self.waiting.pop(account)
            try:
                self._do(account, work)
            except Exception:  # those that wait are served all the same
                log.exception("%s: an account is passed over", self._name)


def ask_apart(account: Account, seconds: float, ask: Callable[[Connection], Answer]) -> Answer | None:
    """What `ask` returns over a connection that nobody else uses, with this patience to connect and for each answer; None if
    the server does not answer or refuses."""
    try:
        connection = Connection(account, seconds)
        try:
            connection.lend(seconds)
            return ask(connection)
        finally:
            connection.close()
    except MailError as error:
        log.info("%s is not served beside the pages: %s", account.address, error)
        return None
