"""Import labels: where a message of Gmail goes by its labels, as Takeout writes them (`X-Gmail-Labels`) and IMAP tells them.

Takeout writes Gmail's own labels in the language of the account, so what is somebody's own label in one is Gmail's in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from webmail.mail import Role
from webmail.mailbox.imports.import_filing import Filing
from webmail.mime.headers import headers

_MOST_LABELS = 30

# By language. The words are those of published Takeout files. "Archived" is told of what is in no other place.
_ENGLISH = {
    Role.INBOX: ("inbox",),
    Role.SENT: ("sent", "sent mail"),
    Role.DRAFTS: ("drafts", "draft"),
    Role.JUNK: ("spam",),
    Role.TRASH: ("trash", "bin"),
    Role.ARCHIVE: ("archived",),
}
_FRENCH = {
    Role.INBOX: ("boîte de réception",),
    Role.SENT: ("messages envoyés", "envoyés", "envoyé"),
    Role.DRAFTS: ("brouillons", "brouillon"),
    Role.JUNK: ("spam", "pourriel"),
    Role.TRASH: ("corbeille",),
    Role.ARCHIVE: ("messages archivés", "archivés", "archivé"),
}
_UNREAD = {"unread": 0, "non lus": 1, "non lu": 1}
_STARRED = {"starred": 0, "messages suivis": 1, "suivis": 1, "suivi": 1, "favoris": 1}
_OPENED = {"opened": 0, "ouvert": 1, "ouverts": 1}
_LANGUAGES = tuple({word: role for role, words in table.items() for word in words} for table in (_ENGLISH, _FRENCH))
_IMPORTANT = {"important", "importants"}
# neither folders nor tags; Takeout does not translate all of them
_IGNORED = {
    "muted", "masqué", "masqués", "ignoré", "ignorés", "all mail", "tous les messages", "chat", "chats", "snoozed", "en attente",
    "scheduled", "programmés", "planifié", "planifiés", "imap_$forwarded", "imap_$mdnsent", "imap_notjunk", "imap_nonjunk",
}  # fmt: skip
_CATEGORY = re.compile(r"(?:category|catégorie|categorie)\s*:?\s")


@dataclass(frozen=True, slots=True)
class GmailWords:
    """Which labels are Gmail's own: those of the account's language. `marked`: those that begin with a backslash, as in IMAP."""

    roles: dict[str, Role]
    marked: bool = False

    def is_own(self, label: str) -> bool:
        """Whether it is the person's label, not Gmail's."""
        if self.marked:
            return not label.startswith("\\")
        word = _plain(label)
        known = word in self.roles or word in _OTHERS or bool(_CATEGORY.match(word))
        return bool(word) and not known


_OTHERS = _UNREAD.keys() | _STARRED.keys() | _OPENED.keys() | _IMPORTANT | _IGNORED
BOTH = GmailWords(_LANGUAGES[0] | _LANGUAGES[1])
IN_IMAP = GmailWords(_LANGUAGES[0], marked=True)


def words_of(labels: Iterable[Sequence[str]]) -> GmailWords:
    """From the labels of a file's first messages: those of the language that most of Gmail's own are in; of both if none is."""
    seen = [0, 0]
    for label in (_plain(label) for one in labels for label in one):
        for number, table in enumerate(_LANGUAGES):
            seen[number] += label in table and label not in _LANGUAGES[1 - number]
            seen[number] += any(told.get(label) == number for told in (_UNREAD, _STARRED, _OPENED))
    if seen[0] == seen[1]:
        return BOTH
    return GmailWords(_LANGUAGES[seen[1] > seen[0]])


def labels_in(value: bytes) -> list[str]:
    """The labels of `X-Gmail-Labels`: words with commas between, in quotes where a label has a comma."""
    text = headers.decode(value)
    found = [(quoted or plain).strip() for quoted, plain in re.findall(r'"([^"]*)"|([^,]+)', text)]
    return [label for label in dict.fromkeys(found) if label][:_MOST_LABELS]


def by_labels(labels: Sequence[str], gmail_words: GmailWords, received: datetime | None = None) -> Filing:
    """A message of Gmail is in one folder here: that of its first own label, else by what Gmail calls it, else the archive. Its
    further labels become tags.
    """
    own = [label for label in labels if gmail_words.is_own(label)]
    low = {_plain(label).lstrip("\\") for label in labels if label not in own}
    flags = [flag for flag, there in (("\\Seen", not low & _UNREAD.keys()), ("\\Flagged", low & _STARRED.keys())) if there]
    if low & _IMPORTANT:
        flags.append("$Important")
    roles = {role for word, role in gmail_words.roles.items() if word in low}
    if Role.DRAFTS in roles:
        flags.append("\\Draft")
    for role in (Role.JUNK, Role.TRASH, Role.DRAFTS):  # wherever else it was
        if role in roles:
            return Filing(tuple(flags), received, role)
    if own:
        return Filing(tuple(flags), received, path=_levels(own[0]), tags=tuple(own[1:]))
    role = Role.SENT if Role.SENT in roles and Role.INBOX not in roles else Role.INBOX if Role.INBOX in roles else Role.ARCHIVE
    return Filing(tuple(flags), received, role)


def _plain(label: str) -> str:
    """A label to be compared: French Takeout has no-break spaces in some."""
    return " ".join(label.split()).casefold()


def _levels(label: str) -> tuple[str, ...]:
    """A label "Projects/2024" is a folder in a folder."""
    return tuple(part.strip() for part in label.split("/") if part.strip())[:10] or (label,)
