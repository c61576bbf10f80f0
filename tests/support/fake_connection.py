"""A connection to no server."""

from __future__ import annotations

from typing import Any

from webmail.account import Account, Password, Server
from webmail.imap.connections.connection import Command
from webmail.imap.mailbox_list import mailboxes

SERVER = Server("127.0.0.1", 1, "none")
ACCOUNT = Account("ann@x.example", SERVER, SERVER, Password("ann", "secret"))


class FakeConnection:
    """A connection that answers what a test wants and notes what it is asked."""

    mailbox = ""
    counts_all = asks_quota = True

    def __init__(
        self, capabilities: set[str], answers: list[dict[str, list[Any]] | Exception], account: Account = ACCOUNT
    ) -> None:
        self.account, self.capabilities, self.answers = account, capabilities, answers
        self.namespaces: Any = None
        self.sent: list[bytes] = []
        mailboxes.forget_all(account)

    def has(self, capability: str) -> bool:
        return capability in self.capabilities

    def run(self, *commands: Command) -> dict[str, list[Any]]:
        self.sent.append(b" | ".join(b" ".join(command) for command in commands))
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer
