"""Texts of the mail about large files, in the language that is set around them (`written_in`)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.config.settings import Settings
from webmail.models import FileRequest, Transfer, TransferEvent, TransferFile, TransferRecipient
from webmail.transfers import options
from webmail.transfers.uploads.sealed_sizes import plain_size
from webmail.web.formatting import file_size, long_date

MOST_FILES = 50  # that a letter names
_LONGEST_MESSAGE = 8000


@dataclass(frozen=True, slots=True)
class LetterFile:
    """A line of a letter: a file, or somebody with what they have."""

    name: str
    about: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class FilesLetter:
    """What a letter says, before it is text and HTML."""

    subject: str
    heading: str
    paragraphs: list[str] = field(default_factory=list)
    message: str = ""  # a person's own words
    link: str = ""
    link_words: str = ""
    files: list[LetterFile] = field(default_factory=list)
    more: str = ""  # how many others there are
    end: list[str] = field(default_factory=list)


def one_line(text: str, most: int = 120) -> str:
    """A person's words, fit for a subject or a line: no line ends, no marks that turn the text around."""
    kept = "".join(one if unicodedata.category(one) not in ("Cc", "Cf", "Zl", "Zp") else " " for one in text[: 4 * most])
    words = " ".join(kept.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def sender_of(transfer: Transfer) -> str:
    """The owner as recipients see them: name and address, or one of them."""
    owner = transfer.owner
    name = one_line(owner.name)
    if not name:
        return str(owner.address)
    return name if options.load(transfer).hide_address else f"{name} ({owner.address})"


def short_sender(transfer: Transfer) -> str:
    return one_line(transfer.owner.name) or str(transfer.owner.address)


def title_of(transfer: Transfer, files: Sequence[TransferFile]) -> str:
    """What it is called in a list or a subject: its subject, its one file, or how many files it has."""
    if subject := one_line(transfer.subject):
        return subject
    if len(files) == 1:
        return name_of(files[0])
    return ngettext("%(num)d file", "%(num)d files", len(files))


def name_of(file: TransferFile) -> str:
    return one_line(file.path.rpartition("/")[2], 150)


def moment(when: datetime) -> str:
    return long_date(when)


def shown_files(files: Sequence[TransferFile], *, sealed: bool = False) -> list[LetterFile]:
    """A line for each; `sealed`: by a browser."""
    return [
        LetterFile(
            one_line(one.path, 200),
            file_size(plain_size(one.size) if sealed else one.size),
            one.content.sha256 if one.content is not None else "",
        )
        for one in files[:MOST_FILES]
    ]


def more_files(files: Sequence[TransferFile]) -> str:
    left = len(files) - MOST_FILES
    return ngettext("and %(num)d other file", "and %(num)d other files", left) if left > 0 else ""


def link_letter(
    transfer: Transfer, files: Sequence[TransferFile], link: str, settings: Settings, *, reminder: bool = False
) -> FilesLetter:  # fmt: skip
    """The link, for somebody it is sent to."""
    name, count = short_sender(transfer), len(files)
    total = file_size(sum(one.size for one in files))
    heading = ngettext("%(name)s sent you a file", "%(name)s sent you %(num)d files", count, name=name)
    title = one_line(transfer.subject)
    subject = _subject(heading, title)
    if not title and count == 1:
        subject = _("%(name)s sent you “%(file)s”", name=name, file=name_of(files[0]))
    if reminder:
        subject = _("Reminder: %(subject)s", subject=subject)
    begin = ngettext(
        "%(sender)s sent you a file (%(size)s) through %(place)s.",
        "%(sender)s sent you %(num)d files (%(size)s) through %(place)s.",
        count, sender=sender_of(transfer), size=total, place=settings.name,
    )  # fmt: skip
    until = _("You can download until %(date)s.", date=moment(transfer.expires))
    paragraphs = [begin, until]
    if reminder:
        paragraphs.insert(1, _("You have not downloaded anything yet."))
    return FilesLetter(
        subject, heading, paragraphs + _conditions(transfer, name), transfer.message[:_LONGEST_MESSAGE].strip(), link,
        _("Download"), shown_files(files), more_files(files), _end_for_others(transfer, name, settings),
    )  # fmt: skip


def added_letter(transfer: Transfer, files: Sequence[TransferFile], link: str, settings: Settings) -> FilesLetter:
    """Files that were added since, for somebody who had the link already."""
    name, count = short_sender(transfer), len(files)
    heading = ngettext("%(name)s added a file", "%(name)s added %(num)d files", count, name=name)
    begin = ngettext(
        "%(sender)s added a file (%(size)s) to those at your link on %(place)s. The link is the same.",
        "%(sender)s added %(num)d files (%(size)s) to those at your link on %(place)s. The link is the same.",
        count, sender=sender_of(transfer), size=file_size(sum(one.size for one in files)), place=settings.name,
    )  # fmt: skip
    until = _("You can download until %(date)s.", date=moment(transfer.expires))
    return FilesLetter(
        _subject(heading, one_line(transfer.subject)), heading, [begin, until, *_conditions(transfer, name)], "", link,
        _("Download"), shown_files(files), more_files(files), _end_for_others(transfer, name, settings),
    )  # fmt: skip


def _subject(heading: str, title: str) -> str:
    return _("%(heading)s: %(title)s", heading=heading, title=title) if title else heading


def _conditions(transfer: Transfer, name: str) -> list[str]:
    chosen, lines = options.load(transfer), []
    if transfer.password:
        lines.append(_("The page asks for a password: %(name)s tells you which.", name=name))
    if chosen.mail_code:
        lines.append(_("Before the download, a code is sent to this address."))
    if chosen.signed_in_only:
        lines.append(_("You must sign in to download."))
    if chosen.once:
        lines.append(_("Each file can be downloaded once."))
    return lines


def _end_for_others(transfer: Transfer, name: str, settings: Settings) -> list[str]:
    if options.load(transfer).hide_address:
        answers = _("%(place)s sent this message for %(name)s. Nobody reads replies to it.", place=settings.name, name=name)
    else:
        answers = _("%(place)s sent this message for %(name)s, who will get your reply.", place=settings.name, name=name)
    return [answers, _("This link is for you alone: any download with it counts as yours.")]


def copy_letter(letter: FilesLetter, count: int) -> FilesLetter:
    """The same, for whoever sent it."""
    told = ngettext(
        "This is a copy of the message sent to %(num)d person.", "This is a copy of the message sent to %(num)d people.", count
    )
    subject = _("Copy: %(subject)s", subject=letter.subject)
    return FilesLetter(
        subject,
        letter.heading,
        [told, *letter.paragraphs],
        letter.message,
        letter.link,
        letter.link_words,
        letter.files,
        letter.more,
    )


def uploaded_letter(transfer: Transfer, files: Sequence[TransferFile], recipients: int, link: str) -> FilesLetter:
    title = title_of(transfer, files)
    heading = _("“%(title)s” is ready for download", title=title)
    lines = [_("All files are here, and can be downloaded until %(date)s.", date=moment(transfer.expires))]
    if recipients:
        lines.append(ngettext("%(num)d person gets the link by email.", "%(num)d people get the link by email.", recipients))
    shown = shown_files(files, sealed=bool(transfer.end_to_end))
    return FilesLetter(heading, heading, lines, "", link, _("Show this transfer"), shown, more_files(files))


def arrival_letter(transfer: Transfer, files: Sequence[TransferFile], link: str) -> FilesLetter:
    """Files from somebody without an account: who that is, is what they typed, unless the link was mailed to them."""
    count, size = len(files), file_size(sum(one.size for one in files))
    invited = transfer.invite.address if transfer.invite is not None else ""
    guest = one_line(transfer.guest_name) or invited or one_line(transfer.guest_address)
    if guest:
        heading = ngettext("%(name)s sent you a file", "%(name)s sent you %(num)d files", count, name=guest)
    else:
        heading = ngettext("You were sent a file", "You were sent %(num)d files", count)
    asked = one_line(transfer.request.title) if transfer.request is not None else ""
    subject = _subject(heading, asked)
    if invited:
        known = _("They came through the link sent to %(address)s.", address=invited)
    elif guest:
        known = _("The name is as typed by the sender, and was not checked.")
    else:
        known = _("The sender gave no name.")
    until = _("%(size)s, kept until %(date)s.", size=size, date=moment(transfer.expires))
    message = transfer.message[:_LONGEST_MESSAGE].strip()
    return FilesLetter(
        subject, heading, [known, until], message, link, _("Show the files"), shown_files(files), more_files(files)
    )


def downloads_letter(
    transfer: Transfer, files: Sequence[TransferFile], events: Sequence[TransferEvent], link: str
) -> FilesLetter:
    title = title_of(transfer, files)
    heading = ngettext("“%(title)s” was downloaded", "“%(title)s” was downloaded %(num)d times", len(events), title=title)
    lines = [_download(one) for one in events[:MOST_FILES]]
    return FilesLetter(heading, heading, [], "", link, _("Show this transfer"), lines, _others(len(events)))


def _others(count: int) -> str:
    """How many lines there are besides those that a letter has."""
    more = count - MOST_FILES
    return ngettext("and %(num)d other", "and %(num)d others", more) if more > 0 else ""


def _download(event: TransferEvent) -> LetterFile:
    who = event.recipient.address if event.recipient is not None else _("Somebody who has the link")
    what = name_of(event.file) if event.file is not None else _removed(event) or _("All files")
    return LetterFile(who, f"{what}, {moment(event.at)}")


def _removed(event: TransferEvent) -> str:
    """The name of a file that was downloaded and then removed from its transfer."""
    return one_line(event.detail.rpartition("/")[2], 150) if event.file_id is None else ""


def digest_letter(parts: Iterable[tuple[Transfer, Sequence[TransferFile], Sequence[TransferEvent]]], link: str) -> FilesLetter:
    """The downloads of a day, of all transfers of one person that they want to hear of so."""
    lines = []
    count = 0
    for transfer, files, events in parts:
        count += len(events)
        times = ngettext("%(num)d download", "%(num)d downloads", len(events))
        people = len({one.recipient_id for one in events if one.recipient_id})
        by = ngettext("by %(num)d person", "by %(num)d people", people) if people else ""
        lines.append(LetterFile(title_of(transfer, files), ", ".join(one for one in (times, by) if one)))
    heading = ngettext("%(num)d download of your files", "%(num)d downloads of your files", count)
    return FilesLetter(heading, heading, [_("Since the last message of this kind:")], "", link, _("Show my large files"), lines)


def everybody_letter(transfer: Transfer, files: Sequence[TransferFile], people: int, link: str) -> FilesLetter:
    title = title_of(transfer, files)
    heading = _("Everyone has downloaded “%(title)s”", title=title)
    if people:
        line = ngettext(
            "%(num)d person it was sent to has every file.", "All %(num)d people it was sent to have every file.", people
        )
    else:
        line = _("Every file was downloaded at least once.")
    end = _("You can close this transfer if nobody else needs it.")
    return FilesLetter(heading, heading, [line, end], "", link, _("Show this transfer"))


def closing_letter(
    transfer: Transfer, files: Sequence[TransferFile], recipients: Sequence[TransferRecipient], link: str
) -> FilesLetter:  # fmt: skip
    """The report at the end: who has downloaded, how often."""
    title = title_of(transfer, files)
    heading = _("“%(title)s” can no longer be downloaded", title=title)
    if transfer.closed_by == "admin":
        why = [_("An administrator closed this transfer.")]
        if transfer.closed_reason:
            why.append(_("Their reason: %(words)s", words=one_line(transfer.closed_reason, 300)))
    elif transfer.closed_by == "date":
        why = [_("Its date has passed.")]
    else:
        why = [_("You closed this transfer.")]
    why.append(_("Its files are deleted. This is who downloaded them:") if recipients else _downloads_of(files))
    lines = [LetterFile(one.address, _times(one.downloads)) for one in recipients]
    lines = lines or [LetterFile(name_of(one), _times(one.downloads)) for one in files]
    return FilesLetter(heading, heading, why, "", link, _("Show this transfer"), lines[:MOST_FILES], _others(len(lines)))


def _downloads_of(files: Sequence[TransferFile]) -> str:
    return _("Its files are deleted. This is how often they were downloaded:") if files else _("Its files are deleted.")


def _times(count: int) -> str:
    return ngettext("%(num)d download", "%(num)d downloads", count) if count else _("no download")


def refused_letter(transfer: Transfer, files: Sequence[TransferFile], events: Sequence[TransferEvent], link: str) -> FilesLetter:
    """Files that nobody gets."""
    count, title = len(events), title_of(transfer, files)
    heading = ngettext("A file of “%(title)s” was refused", "%(num)d files of “%(title)s” were refused", count, title=title)
    lines = [_("Nobody can download what was refused.")]
    if any(one.file is not None and one.file.transfer_id != transfer.id for one in events):
        lines.append(_("If you were adding other files with it, they will be added once you have removed it."))
    elif transfer.request_id is None:
        lines.append(_("The link to the other files will be sent once you have removed it."))
    shown = [LetterFile(name_of(one.file) if one.file is not None else "", refusal_words(one.detail)) for one in events]
    return FilesLetter(heading, heading, lines, "", link, _("Show this transfer"), shown[:MOST_FILES], _others(count))


def refusal_words(detail: str) -> str:
    """Why a file was refused, as the trail has it."""
    if detail == "damaged":
        return _("It arrived damaged. Send it again.")
    if detail.startswith("unscanned"):
        return _("It could not be scanned for malware.")
    return _("Malware was found: %(name)s", name=one_line(detail))


def receipt_letter(
    transfer: Transfer, files: Sequence[TransferFile], events: Sequence[TransferEvent], settings: Settings
) -> FilesLetter:  # fmt: skip
    """What a recipient downloaded, for them."""
    whole = max((one.at for one in events if one.file_id is None and not one.detail), default=None)  # the last one of all
    got = {one.file_id for one in events}
    mine = [one for one in files if one.id in got or (whole is not None and (one.added is None or one.added <= whole))]
    removed = next((_removed(one) for one in events if _removed(one)), "")
    title = title_of(transfer, mine) if mine or transfer.subject else removed
    heading = _("You downloaded “%(title)s”", title=title)
    begin = _("%(sender)s sent you these files through %(place)s.", sender=sender_of(transfer), place=settings.name)
    end = [_("If it was not you, tell %(name)s: somebody else has your link.", name=short_sender(transfer))]
    return FilesLetter(heading, heading, [begin], "", "", "", shown_files(mine), more_files(mine), end)


def guest_letter(transfer: Transfer, files: Sequence[TransferFile], link: str, settings: Settings) -> FilesLetter:
    """What a guest sent, for them: nothing that they typed stands in it, since the address may be somebody else's."""
    count, size = len(files), file_size(sum(one.size for one in files))
    to = f"{name} ({transfer.owner.address})" if (name := one_line(transfer.owner.name)) else transfer.owner.address
    heading = ngettext("Your file has arrived", "Your %(num)d files have arrived", count)
    begin = ngettext(
        "A file (%(size)s) was sent to %(owner)s through %(place)s, and this address was given for the receipt.",
        "%(num)d files (%(size)s) were sent to %(owner)s through %(place)s, and this address was given for the receipt.",
        count, size=size, owner=to, place=settings.name,
    )  # fmt: skip
    end = [_("If it was not you, ignore this message.")]
    return FilesLetter(heading, heading, [begin], "", link, _("Show the receipt"), [], "", end)


def invitation_letter(request: FileRequest, link: str, settings: Settings, *, reminder: bool = False) -> FilesLetter:
    owner = request.owner
    name = one_line(owner.name) or str(owner.address)
    who = f"{name} ({owner.address})" if name != owner.address else name
    heading = _("%(name)s asks you for files", name=name)
    subject = _named(heading, title) if (title := one_line(request.title)) else heading
    if reminder:
        subject = _("Reminder: %(subject)s", subject=subject)
    lines = [
        _("%(sender)s asks you to send files through %(place)s. You don’t need an account.", sender=who, place=settings.name)
    ]
    if request.until is not None:
        lines.append(_("You can send them until %(date)s.", date=moment(request.until)))
    end = [
        _("%(place)s sent this message for %(name)s, who will get your reply.", place=settings.name, name=name),
        _("This link is for you alone: what is sent with it counts as yours."),
    ]
    return FilesLetter(subject, heading, lines, request.message[:_LONGEST_MESSAGE].strip(), link, _("Send files"), [], "", end)


def text_of(letter: FilesLetter) -> str:
    """The letter as plain text."""
    parts = [letter.heading, *letter.paragraphs]
    if letter.link:
        parts.append(f"{_named(letter.link_words)}\n{letter.link}")
    if letter.message:
        parts.append("\n".join(f"> {line}".rstrip() for line in letter.message.splitlines()))
    if letter.files:
        rows = ["\n".join(one for one in (f"- {_named(row.name, row.about)}", _hash(row)) if one) for row in letter.files]
        parts.append("\n".join([*rows, *([letter.more] if letter.more else [])]))
    if letter.end:
        parts.append("\n".join(["-- ", *letter.end]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _hash(row: LetterFile) -> str:
    return f"  {_named('SHA-256', row.sha256)}" if row.sha256 else ""


def _named(name: str, value: str = "") -> str:
    """With a colon as each language sets it."""
    return _("%(heading)s: %(title)s", heading=name, title=value).rstrip()
