"""Viewers: how each attachment is shown: as a card (calendar, contact, delivery report, message), a preview or a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from webmail.imap.reading import encoded_messages
from webmail.mail import Envelope, Message, Part
from webmail.mime import part_kinds
from webmail.mime.formats import delivery_report
from webmail.mime.formats.calendars import icalendar
from webmail.mime.formats.cards import vcard_view
from webmail.mime.headers import headers
from webmail.mime.headers.encoded_words import tidy
from webmail.mime.part_kinds import PartKind
from webmail.mime.structure import LEAF_LIMIT

MESSAGES_LIMIT = 50  # attached messages shown as cards
CARD_TEXT_LIMIT = 100_000  # characters of vCards parsed per message
CALENDAR_TEXT_LIMIT = 200_000  # characters of calendars parsed per message
FIELDS_LIMIT = 1_000  # header fields shown on a page
FILES_LIMIT = 500  # that a page shows


@dataclass(slots=True)
class AttachmentViews:
    """A message's attachments grouped by how they are shown. Each is in exactly one list."""

    deliveries: list[tuple[Part, delivery_report.Delivery]] = field(default_factory=list)
    receipts: list[tuple[Part, delivery_report.Receipt]] = field(default_factory=list)
    returned: list[tuple[Part, Envelope]] = field(default_factory=list)  # headers of a bounced message
    calendars: list[tuple[Part, icalendar.Calendar]] = field(default_factory=list)
    contacts: list[tuple[Part, tuple[vcard_view.Card, ...]]] = field(default_factory=list)
    messages: list[Part] = field(default_factory=list)
    previews: list[Part] = field(default_factory=list)
    files: list[Part] = field(default_factory=list)
    more: bool = False  # the message has more parts than were examined

    @property
    def winmail(self) -> Part | None:
        """The winmail.dat part, in which Outlook may have put the text, or None."""
        return next((part for part in self.files if part_kinds.kind_of_part(part) is PartKind.TNEF), None)

    @property
    def count(self) -> int:
        """The number of files and previews."""
        return len(self.files) + len(self.previews)

    @property
    def shown_files(self) -> list[Part]:
        return self.files[:FILES_LIMIT]

    @property
    def is_cut(self) -> bool:
        return self.more or len(self.files) > FILES_LIMIT

    @property
    def any_cards(self) -> bool:
        return bool(self.deliveries or self.receipts or self.returned or self.calendars or self.contacts or self.messages)


def view(message: Message, *, with_pictures: bool = True) -> AttachmentViews:
    """How to show each attachment; unparsable ones are files to save. `with_pictures`: small images are shown as previews."""
    viewed = AttachmentViews(more=len(message.structure.all) >= LEAF_LIMIT)
    shown_small = set(part_kinds.previews(message.structure)) if with_pictures else set()
    room = {PartKind.CARD: CARD_TEXT_LIMIT, PartKind.CALENDAR: CALENDAR_TEXT_LIMIT}
    for part in message.structure.attachments:
        text = message.bodies.get(part.section)
        if text is not None and (what := part_kinds.kind_of_part(part)) in room:
            room[what] -= len(text)
            text = text if room[what] >= 0 else None
        if part in shown_small:
            viewed.previews.append(part)
        elif part_kinds.kind_of_part(part) is PartKind.MESSAGE and len(viewed.messages) < MESSAGES_LIMIT:
            viewed.messages.append(_with_envelope(part, message))
        elif text is None or not _as_card(viewed, part, text):
            viewed.files.append(part)
    return viewed


def _with_envelope(part: Part, message: Message) -> Part:
    """For a message in a transfer encoding the server's envelope is wrong, so it is parsed here if its head was fetched."""
    if not part_kinds.is_wrapped(part) or encoded_messages.is_inside(part.section):
        return part
    first, _last = message.ends.get(part.section, (b"", b""))
    return replace(part, envelope=headers.envelope(encoded_messages.head(first)) if first else None)


def _as_card(viewed: AttachmentViews, part: Part, text: str) -> bool:
    """Add a part to the cards if its text can be parsed; returns whether it could."""
    match part_kinds.kind_of_part(part):
        case PartKind.DELIVERY if delivery := delivery_report.delivery(text):
            viewed.deliveries.append((part, delivery))
        case PartKind.RECEIPT if receipt := delivery_report.receipt(text):
            viewed.receipts.append((part, receipt))
        case PartKind.HEADERS if text.strip():
            viewed.returned.append((part, headers.envelope(text.strip().encode("utf-8", "replace"))))
        case PartKind.CALENDAR if calendar := icalendar.read(text, part.method):
            if any(_says_no_more(calendar, one) for _, one in viewed.calendars):  # invitations often come twice, as body and file
                return False
            viewed.calendars.append((part, calendar))
        case PartKind.CARD if cards := vcard_view.read(text):
            viewed.contacts.append((part, cards))
        case _:
            return False
    return True


def _says_no_more(calendar: icalendar.Calendar, earlier: icalendar.Calendar) -> bool:
    """Whether a calendar part says what another one said; a file often names no method."""
    return calendar == earlier or (not calendar.method and replace(calendar, method=earlier.method) == earlier)


def header_fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """All fields of a header block in order, unfolded and decoded; malformed lines have the name ""."""
    lines = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    unfolded: list[bytes] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and unfolded:
            unfolded[-1] += line
        elif line:
            if len(unfolded) == FIELDS_LIMIT:
                break
            unfolded.append(line)
    for line in unfolded:
        name, colon, value = line.partition(b":")
        named = bool(colon) and name.isascii() and b" " not in name.strip()
        yield (tidy(name.decode("ascii")), headers.decode(value)) if named else ("", headers.decode(line))
