"""Rights: what a person may do in a mailbox, the letters of an access list (RFC 4314 section 2.1)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do in a mailbox: the letters of RFC 4314 section 2.1."""

    letters: str

    @property
    def may_read(self) -> bool:
        return "r" in self.letters

    @property
    def may_see(self) -> bool:
        """Store the read state of messages (`\\Seen`)."""
        return "s" in self.letters

    @property
    def may_flag(self) -> bool:
        return "w" in self.letters

    @property
    def may_insert(self) -> bool:
        return "i" in self.letters

    @property
    def may_delete(self) -> bool:
        """Remove messages: delete them or move them elsewhere."""
        return "t" in self.letters and "e" in self.letters

    @property
    def may_remove(self) -> bool:
        """Delete or rename the mailbox itself."""
        return "x" in self.letters

    @property
    def may_manage(self) -> bool:
        """Change the access rights of others."""
        return "a" in self.letters


ALL_RIGHTS = Rights("lrswipkxtea")  # in one's own mailboxes
