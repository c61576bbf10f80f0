"""Move targets: the folders that messages can be moved to, those used lately first, and what a typed folder name stands for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mail import Mailbox, Role
from webmail.mailbox import folders
from webmail.mailbox.folders import BadFolderNameError, NameFault, NewFolder
from webmail.mime.headers.encoded_words import fold
from webmail.models import RecentFolder, User

MOST_RECENT = 5
LONGEST_FILTER = 900  # characters

GroupName = Literal["recent", "own", "special", "shared"]


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A folder of the list. One that is no target (the messages are in it, or it holds folders only) leads to those inside it."""

    mailbox: Mailbox
    is_target: bool = True


@dataclass(frozen=True, slots=True)
class TargetGroup:
    name: GroupName
    rows: tuple[TargetRow, ...]


def targets(found: Overview, sources: Collection[str]) -> list[Mailbox]:
    """Where messages of these mailboxes may go: not to where all of them are already."""
    (source,) = sources if len(sources) == 1 else ("",)
    return found.targets(source)


def grouped(found: Overview, fit: Sequence[Mailbox], recent: Iterable[str]) -> list[TargetGroup]:
    """The targets `fit` as the side bar groups them, one's own folders first, and before all those used lately."""
    by_name = {m.name: m for m in fit}
    special = [m for parent in found.mailboxes if parent.role for m in (parent, *found.below(parent))]
    rows: dict[GroupName, list[TargetRow]] = {
        "recent": [TargetRow(by_name[name]) for name in recent if name in by_name],
        "own": _with_parents(found.own, by_name),
        "special": _with_parents(special, by_name),
        "shared": _with_parents(found.shared, by_name),
    }
    return [TargetGroup(name, tuple(those)) for name, those in rows.items() if those]


def _with_parents(mailboxes: Sequence[Mailbox], fit: Mapping[str, Mailbox]) -> list[TargetRow]:
    above = {name for m in mailboxes if m.name in fit for name in m.ancestors}
    return [TargetRow(m, m.name in fit) for m in mailboxes if m.name in fit or m.name in above]


def matches(path: str, typed: str) -> bool:
    """Whether each word that was typed is somewhere in the path, whatever the accents and upper case."""
    folded = fold(path)
    return all(fold(word) in folded for word in typed.split())


def typed_folder(typed: str, found: Overview, paths: Mapping[str, str]) -> Mailbox | NewFolder:
    """The folder that a typed path stands for, or the one to be made for it; `paths` are the paths as shown, by mailbox name.

    Whoever reads "Archives/2025" types "Archives/2026" and means the folder with that role, whatever the server calls it.
    Raises BadFolderNameError.
    """
    delimiter = folders.delimiter_of(found)
    wanted = delimiter.join(part.strip() for part in typed.strip().split(delimiter))
    if (there := found.get(_named(wanted, paths))) and there.selectable:
        return there
    label, parent = _split(wanted, delimiter, found, paths)
    try:
        return folders.planned(label, parent, found)
    except BadFolderNameError as error:
        if error.fault is NameFault.TAKEN and (there := found.get(error.name)):
            return there
        raise


def _named(wanted: str, paths: Mapping[str, str]) -> str:
    """The mailbox shown with this path; of several that differ in case only the very one. Empty if there is none."""
    fit = [name for name, path in paths.items() if path.casefold() == wanted.casefold()]
    return max(fit, key=lambda name: paths[name] == wanted, default="")


def _split(wanted: str, delimiter: str, found: Overview, paths: Mapping[str, str]) -> tuple[str, str]:
    """A path as what is to be made and the innermost mailbox that is there for it ("" for none). Raises BadFolderNameError."""
    label, parent, best = wanted, "", (0, False)
    for name, path in paths.items():
        mailbox = found.get(name)
        if not mailbox or mailbox.owner or not wanted.casefold().startswith(path.casefold() + delimiter):
            continue
        if mailbox.role in (Role.INBOX, Role.DRAFTS):
            raise BadFolderNameError(NameFault.RESERVED)  # what lies in these, many programs do not show
        levels = path.count(delimiter) + 1
        if (fits := (levels, wanted.startswith(path))) > best:
            label, parent, best = delimiter.join(wanted.split(delimiter)[levels:]), name, fits
    return label, parent


# --- those used lately -----------------------------------------------------------------------------------------------


def recent(user: User) -> list[str]:
    """The mailboxes that this person moved or copied messages to lately, the latest first. 1 query."""
    mine = RecentFolder.select(RecentFolder.mailbox).where(RecentFolder.user == user).order_by(RecentFolder.id.desc())
    return list(dict.fromkeys(row.mailbox for row in mine))[:MOST_RECENT]


def remember(user: User, mailbox: str) -> None:
    """Note that messages went to this mailbox; only the latest MOST_RECENT are kept. 1 transaction."""
    mine = RecentFolder.user == user
    with db.atomic():
        in_turn(user)
        RecentFolder.delete().where(mine, RecentFolder.mailbox == mailbox).execute()
        RecentFolder.create(user=user, mailbox=mailbox)
        kept = [row.id for row in RecentFolder.select(RecentFolder.id).where(mine).order_by(RecentFolder.id.desc())]
        RecentFolder.delete().where(RecentFolder.id.in_(kept[MOST_RECENT:])).execute()
