"""Gmail: a server that speaks IMAP as it does, by its published extensions (X-GM-EXT-1): "All Mail" with labels, folders that
show the same messages again, modified UTF-7, system labels with a backslash. As much as a reader needs; read-only.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from imapclient import imap_utf7

from tests.support import tcp_server


@dataclass
class Letter:
    raw: bytes
    labels: tuple[str, ...]
    flags: str = "\\Seen"


@dataclass
class Gmail:
    """`all_mail`, `spam` and `trash` hold the messages; `most` is how many FETCH answers it gives before it hangs up, once."""

    all_mail: list[Letter] = field(default_factory=list)
    spam: list[Letter] = field(default_factory=list)
    trash: list[Letter] = field(default_factory=list)
    password: str = "abcd efgh ijkl mnop"
    hang_up_after: int = 0
    fetched: int = 0
    port: int = 0

    def folders(self) -> dict[str, tuple[str, list[Letter]]]:
        inbox = [one for one in self.all_mail if "\\Inbox" in one.labels]
        own = sorted({label for one in self.all_mail for label in one.labels if not label.startswith("\\")})
        return {
            "INBOX": ("\\HasNoChildren", inbox),
            **{label: ("\\HasNoChildren", [one for one in self.all_mail if label in one.labels]) for label in own},
            "[Gmail]": ("\\HasChildren \\Noselect", []),
            "[Gmail]/Tous les messages": ("\\All \\HasNoChildren", self.all_mail),
            "[Gmail]/Suivis": ("\\Flagged \\HasNoChildren", [one for one in self.all_mail if "\\Starred" in one.labels]),
            "[Gmail]/Important": ("\\HasNoChildren \\Important", []),
            "[Gmail]/Messages envoyés": ("\\HasNoChildren \\Sent", [one for one in self.all_mail if "\\Sent" in one.labels]),
            "[Gmail]/Brouillons": ("\\Drafts \\HasNoChildren", [one for one in self.all_mail if "\\Draft" in one.labels]),
            "[Gmail]/Spam": ("\\HasNoChildren \\Junk", self.spam),
            "[Gmail]/Corbeille": ("\\HasNoChildren \\Trash", self.trash),
        }


@contextmanager
def serving(gmail: Gmail) -> Iterator[Gmail]:
    with tcp_server.talking(lambda peer: _Session(gmail, peer).talk()) as gmail.port:
        yield gmail


class _Session:
    def __init__(self, gmail: Gmail, peer: socket.socket) -> None:
        self.gmail, self.peer, self.selected = gmail, peer, list[Letter]()

    def talk(self) -> None:
        try:
            self.peer.sendall(b"* OK Gimap ready for requests\r\n")
            for line in self.peer.makefile("rb"):
                tag, _, rest = line.strip().partition(b" ")
                said = self.answer(rest)
                if said is None:
                    return
                self.peer.sendall(said.replace(b"<tag>", tag))
        except OSError:
            return  # the client went away
        finally:
            self.peer.close()

    def answer(self, command: bytes) -> bytes | None:
        word = command.upper()
        if word.startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 UNSELECT NAMESPACE SPECIAL-USE X-GM-EXT-1 UIDPLUS LIST-STATUS\r\n<tag> OK done\r\n"
        if word.startswith(b"LOGIN"):
            good = self.gmail.password.encode() in command
            return b"<tag> OK signed in\r\n" if good else b"<tag> NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"
        if word.startswith(b"NAMESPACE"):
            return b'* NAMESPACE (("" "/")) NIL NIL\r\n<tag> OK done\r\n'
        if word.startswith(b"LIST"):
            return b"".join(self._listed(b"STATUS" in word)) + b"<tag> OK done\r\n"
        if word.startswith((b"SELECT", b"EXAMINE")):
            return self._select(re.findall(rb'"([^"]*)"', command)[0])
        if word.startswith(b"UID SEARCH"):
            first = int((re.search(rb"(\d+):\*", word) or re.match(rb"()(1)", b"1"))[1] or 1)  # type: ignore[index]
            found = [b"%d" % uid for uid in range(1, len(self.selected) + 1) if uid >= min(first, len(self.selected))]
            return b"* SEARCH " + b" ".join(found) + b"\r\n<tag> OK done\r\n"
        if word.startswith(b"UID FETCH"):
            return self._fetch(command)
        if word.startswith(b"LOGOUT"):
            return None
        return b"<tag> OK done\r\n"

    def _listed(self, status: bool) -> Iterator[bytes]:
        for name, (flags, letters) in self.gmail.folders().items():
            quoted = b'"' + imap_utf7.encode(name) + b'"'
            yield b"* LIST (" + flags.encode() + b') "/" ' + quoted + b"\r\n"
            if status and "\\Noselect" not in flags:
                yield b"* STATUS " + quoted + b" (MESSAGES %d UNSEEN 0)\r\n" % len(letters)

    def _select(self, raw: bytes) -> bytes:
        self.selected = self.gmail.folders()[imap_utf7.decode(raw)][1]
        return b"* FLAGS (\\Seen)\r\n* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n<tag> OK [READ-WRITE] done\r\n" % len(
            self.selected
        )

    def _fetch(self, command: bytes) -> bytes | None:
        said = b""
        for item in command.split()[2].split(b","):
            low, _, high = item.partition(b":")
            for uid in range(int(low), int(high or low) + 1):
                if b"BODY.PEEK[]" in command:
                    self.gmail.fetched += 1
                    if self.gmail.hang_up_after and self.gmail.fetched > self.gmail.hang_up_after:
                        self.gmail.hang_up_after = 0
                        return None
                said += self._told(uid, command)
        return said + b"<tag> OK done\r\n"

    def _told(self, uid: int, command: bytes) -> bytes:
        letter = self.selected[uid - 1]
        if b"BODY.PEEK[]" in command:
            return b"* %d FETCH (UID %d BODY[] {%d}\r\n" % (uid, uid, len(letter.raw)) + letter.raw + b")\r\n"
        head = letter.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        labels = b" ".join(b'"' + imap_utf7.encode(one).replace(b"\\", b"\\\\") + b'"' for one in letter.labels)
        said = b"* %d FETCH (X-GM-LABELS (" % uid + labels + b") UID %d FLAGS (%s)" % (uid, letter.flags.encode())
        # Gmail's sizes are those of what it keeps, which may differ from what it sends
        said += b' INTERNALDATE "05-Mar-2019 09:%02d:00 +0000" RFC822.SIZE %d' % (uid % 60, len(letter.raw) + 3)
        return said + b" BODY[HEADER.FIELDS (MESSAGE-ID FROM SUBJECT)]<0> {%d}\r\n" % len(head) + head + b")\r\n"
