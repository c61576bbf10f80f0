"""Protected view: a message that is signed or encrypted as its page shows it, once its parts were opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from webmail.keys.messages.opening import EncryptionState, OpenedMail, OpenedPart
from webmail.keys.messages.verdicts import VerdictNote
from webmail.mail import Message, Part, Structure
from webmail.mime import structure
from webmail.mime.protected import header_reading, protected_parts
from webmail.mime.tree import PartNode

_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_ENCRYPTED = ("application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


@dataclass(frozen=True, slots=True)
class PartView:
    """A protected part on the page; `number` counts from 1. `framed`: it stands in a frame of its own, with its `files`."""

    number: int
    part: OpenedPart
    framed: bool
    files: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class ProtectedView:
    """What the page has besides the message, from which is left out what stands in frames.

    `differences`: headers that say another thing outside than inside. `hidden`: the subject stands in no list. `raw`: the message
    as it came.
    """

    message: Message
    parts: tuple[PartView, ...]
    whole: PartView | None
    deeper: bool
    too_large: bool
    differences: tuple[str, ...] = ()
    hidden: bool = False
    raw: bytes = field(default=b"", repr=False)

    @property
    def replaces_text(self) -> bool:
        """Whether the frame stands in the place of the text."""
        return self.whole is not None and not self.whole.part.beside

    @property
    def is_decrypted(self) -> bool:
        return any(one.part.encryption is EncryptionState.DECRYPTED for one in self.parts)

    @property
    def is_partial(self) -> bool:
        """Whether something that is signed stands beside what is not."""
        return self.whole is None and any(one.part.signatures for one in self.parts)


def may_be_protected(message: Message) -> bool:
    """By what the page has of it anyway."""
    return message.structure.protected or any(protected_parts.has_block(text) for text in message.bodies.values())


def looks_encrypted(shape: Structure) -> bool:
    """Whether a structure looks like that of an encrypted message, for pages that open none."""
    return any(part.type in _ENCRYPTED for part in shape.attachments)


def view(message: Message, opened: OpenedMail, root: PartNode | None) -> ProtectedView:
    """`root`: our own reading of the whole, with which the server's must agree: else what it shows is not what was signed."""
    whole = opened.whole
    theirs = _of_attached(message.structure, message.section)
    if whole and whole.beside and root is not None and not _agree(theirs, structure.classify(root)):
        notes = tuple(one.in_part(VerdictNote.DISPLAY) for one in whole.signatures)
        opened, whole = replace(opened, parts=(replace(whole, whole=False, signatures=notes),)), None
    parts = tuple(_part(number, part) for number, part in enumerate(opened.parts, 1))
    shown = parts[0] if whole else None
    left = _left_of(message, parts, shown)
    differing: tuple[str, ...] = ()
    hidden = False
    if whole and whole.headers and (whole.encryption is EncryptionState.DECRYPTED or whole.has_good_signature):
        differing = header_reading.differences(message.envelope, whole.headers)
        envelope = header_reading.combined(message.envelope, whole.headers)
        hidden = whole.encryption is not None and envelope.subject != message.envelope.subject
        left = replace(left, envelope=envelope)
    return ProtectedView(left, parts, shown, opened.deeper, opened.too_large, differing, hidden)


def files_of(part: OpenedPart) -> tuple[Part, ...]:
    """The files inside an opened part; text has none."""
    if part.content is None or part.is_text:
        return ()
    return structure.classify(structure.from_bytes(part.content)).attachments


def _part(number: int, part: OpenedPart) -> PartView:
    framed = part.content is not None and (not part.whole or not part.beside)
    return PartView(number, part, framed, _without_signatures(files_of(part)) if framed else ())


def _left_of(message: Message, parts: Iterable[PartView], whole: PartView | None) -> Message:
    """The message without what stands in frames, and without signatures as files."""
    shape = message.structure
    if whole is not None and not whole.part.beside:
        closed = whole.part.content is None and whole.part.encryption is not EncryptionState.LOCKED
        files = shape.attachments if closed else ()  # they can be saved, and opened elsewhere
        return replace(message, structure=Structure(attachments=files), bodies={}, remote=0)
    framed = [one.part.section for one in parts if one.framed and not one.part.is_text]

    def left(listed: tuple[Part, ...]) -> tuple[Part, ...]:
        there = [(part, _own_section(part.section, message.section)) for part in listed]
        return tuple(part for part, own in there if not any(_is_in(own, section) for section in framed))

    files = left(shape.attachments)
    files = _without_signatures(files) if whole is not None else files
    return replace(message, structure=replace(shape, text=left(shape.text), html=left(shape.html), attachments=files))


def _without_signatures(files: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part for part in files if part.type not in _SIGNATURES)


def _own_section(section: str, around: str) -> str:
    """The section in an attached message of what has another one in the message around it: "2.1" or "2~1" for "1" in "2"."""
    return section[len(around) + 1 :] if around else section


def _of_attached(shape: Structure, around: str) -> Structure:
    """The structure with the sections that an attached message has by itself."""

    def own(listed: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(replace(part, section=_own_section(part.section, around)) for part in listed)

    return Structure(own(shape.text), own(shape.html), own(shape.attachments), own(shape.inline)) if around else shape


def _is_in(section: str, around: str) -> bool:
    return not around or section == around or section.startswith(f"{around}.")


def _agree(theirs: Structure, ours: Structure) -> bool:
    """Whether the server and we find the same parts in a message: else it is written so that readers differ."""
    return _outline(theirs) == _outline(ours)


def _outline(shape: Structure) -> list[list[tuple[str, str, int, str]]]:
    lists = (shape.text, shape.html, shape.attachments, shape.inline)
    return [[(part.section, part.type, part.size, part.encoding.lower()) for part in listed] for listed in lists]
