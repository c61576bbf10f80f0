"""Namespaces: distinguishes a person's own mailboxes from other people's and public ones, by prefix (NAMESPACE, RFC 2342)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imapclient import imap_utf7

from webmail.imap.connections.responses import parsed, word

Space = tuple[str, str]  # (prefix of its mailbox names, delimiter)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """The namespaces of one's own mailboxes, of other people's and of public ones."""

    personal: tuple[Space, ...] = ()
    others: tuple[Space, ...] = ()
    public: tuple[Space, ...] = ()

    def owner_of(self, name: str) -> tuple[str, str]:
        """The owner of a mailbox, and the prefix of the owner's mailbox names; ("", "") for one's own.

        `shared/bob@x/Team` -> (`bob@x`, `shared/bob@x/`); for a public namespace: its name and its prefix.
        """
        if name.upper() == "INBOX":
            return "", ""
        fitting = [(*space, "others") for space in self.others if _fits(name, space)]
        fitting += [(*space, "public") for space in self.public if _fits(name, space)]
        if not fitting:
            return "", ""
        fitting += [(*space, "") for space in self.personal if _fits(name, space)]
        prefix, delimiter, kind = max(fitting, key=lambda k: (len(k[0]), not k[2]))
        if kind == "others":
            person = name.removeprefix(prefix).partition(delimiter)[0] if delimiter else ""
            return (person, prefix + person + delimiter) if person and name.startswith(prefix) else ("", "")
        return (prefix.removesuffix(delimiter) or name.partition(delimiter)[0], prefix) if kind == "public" else ("", "")

    def is_prefix(self, name: str) -> bool:
        """Whether this is the root of a shared or public namespace, not a mailbox."""
        return any(name == prefix.removesuffix(delimiter) for prefix, delimiter in (*self.others, *self.public))

    @property
    def reserved(self) -> frozenset[str]:
        """First components of names that one's own mailboxes can't have."""
        return frozenset(prefix.partition(delimiter)[0] for prefix, delimiter in (*self.others, *self.public) if prefix)

    @property
    def root(self) -> Space:
        """The prefix of one's own mailboxes ("INBOX." on some servers) and its delimiter."""
        return self.personal[0] if self.personal else ("", "/")


def _fits(name: str, space: Space) -> bool:
    prefix, delimiter = space
    return name.startswith(prefix) or bool(prefix and name == prefix.removesuffix(delimiter))


def namespaces_in(lines: list[Any]) -> Namespaces:
    """`(("" "/")) (("shared/" "/")) NIL` -> Namespaces."""
    for answer in parsed(lines):
        if len(answer) == 3:
            return Namespaces(*(tuple(_spaces(kind)) for kind in answer))
    return Namespaces()


def _spaces(kind: Any) -> list[Space]:
    if not isinstance(kind, tuple):
        return []
    return [
        (imap_utf7.decode(word(space[0])), (space[1] or b"").decode("ascii", "replace"))
        for space in kind
        if isinstance(space, tuple) and len(space) > 1
    ]
