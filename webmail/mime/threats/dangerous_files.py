"""Dangerous files: detects harmful attachments by name and type, and archives also by their first and last bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice

from webmail.mail import Message, Part
from webmail.mime.formats import archives


class Danger(StrEnum):
    DISGUISED = "disguised"  # a program named like a document
    PROGRAM = "program"  # programs and scripts
    SHORTCUT = "shortcut"  # opens another file or URL
    DISK = "disk"  # a disk image: files in it escape Windows' Mark of the Web
    PACKED = "packed"  # an archive of little more than a program
    MACROS = "macros"  # an office document that may run macros
    LOCKED = "locked"  # password-protected, so that no scanner can inspect it
    PAGE = "page"  # a web page, which can imitate a sign-in page


_EXTENSIONS = {
    Danger.PROGRAM: "exe scr com pif bat cmd msi msp mst msu msix msixbundle appx appxbundle appinstaller jar jnlp apk app dll "
    "cpl sys ps1 ps2 psm1 psd1 vb vbs vbe vba js jse ws wsf wsh wsc sct hta msc reg inf gadget ade adp mde accde chm hlp xll "
    "vsto xbap diagcab pyw pyz ahk au3 crx scpt command workflow action pkg deb rpm run",
    Danger.SHORTCUT: "lnk url website webloc desktop scf library-ms search-ms settingcontent-ms appref-ms rdp theme wsb xnk",
    Danger.DISK: "iso img vhd vhdx dmg udf wim sparseimage nrg mdf daa",
    Danger.MACROS: "docm dotm xlsm xltm xla xlam xlsb pptm potm ppsm ppam sldm one onepkg onetoc2 slk iqy dqy oqy rqy odc",
    Danger.PAGE: "html htm shtml shtm xhtml xht mht mhtml svg svgz",
}
_KINDS = {extension: kind for kind, words in _EXTENSIONS.items() for extension in words.split()}
_TYPES = {
    "application/x-msdownload": Danger.PROGRAM,
    "application/x-dosexec": Danger.PROGRAM,
    "application/x-msdos-program": Danger.PROGRAM,
    "application/vnd.microsoft.portable-executable": Danger.PROGRAM,
    "application/x-ms-dos-executable": Danger.PROGRAM,
    "application/x-msi": Danger.PROGRAM,
    "application/vnd.ms-htmlhelp": Danger.PROGRAM,
    "application/x-ms-shortcut": Danger.SHORTCUT,
    "application/hta": Danger.PROGRAM,
    "application/java-archive": Danger.PROGRAM,
    "application/x-iso9660-image": Danger.DISK,
    "application/x-apple-diskimage": Danger.DISK,
}
_MACRO_TYPE = re.compile(r"application/vnd\.ms-[a-z]+\.[a-z.]*macroenabled(\.12)?")
_DOCUMENT = re.compile("pdf|docx?|odt|rtf|txt|xlsx?|ods|csv|pptx?|odp|jpe?g|png|gif|webp|heic|mp[34]|mov|avi|wav|zip|rar|7z")
_HARMFUL = (Danger.DISGUISED, Danger.PROGRAM, Danger.SHORTCUT, Danger.DISK, Danger.PACKED)
_LOOKED_INTO = re.compile(r".*\.(?:zip|rar|7z|docx?|xlsx?|pptx?|dot|xlt|pps|dotx|xltx|ppsx)", re.I | re.S)
_ARCHIVE_TYPE = re.compile(r"application/(?:x-)?(?:zip|zip-compressed|rar|7z|7z-compressed|vnd\.rar|rar-compressed)")
LOOKED_INTO_LIMIT = 5  # parts of a message
FEW_FILES = 5  # a larger archive with a program in it is probably legitimate
_DIRECTION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def danger(part: Part) -> Danger | None:
    """The danger of an attachment by its name and type; None for most."""
    turned = part.turned or bool(_DIRECTION.search(part.filename))
    words = _DIRECTION.sub("", part.filename).lower().rstrip(" .").split(".")
    extension = words[-1].strip() if len(words) > 1 else ""
    kind = _KINDS.get(extension) or _TYPES.get(part.type.lower())
    if kind is None and _MACRO_TYPE.fullmatch(part.type.lower()):
        kind = Danger.MACROS
    if kind in _HARMFUL:
        pretends = len(words) > 2 and _DOCUMENT.fullmatch(words[-2].strip())
        if turned or pretends or _DOCUMENT.fullmatch(extension):
            return Danger.DISGUISED
    return kind


def looked_into(attachments: Iterable[Part]) -> list[Part]:
    """The attachments whose first and last bytes should be inspected: archives and office documents."""
    some = (part for part in attachments if _LOOKED_INTO.fullmatch(part.filename) or _ARCHIVE_TYPE.fullmatch(part.type))
    return list(islice(some, LOOKED_INTO_LIMIT))


def danger_in(part: Part, message: Message) -> tuple[Danger | None, str]:
    """As `danger`, but also by the content that was fetched (`message.ends`). Returns the label too: the attachment's name and
    that of a program in it."""
    name = part.filename or part.type
    if (kind := danger(part)) is not None or part.section not in message.ends:
        return kind, name
    seen = archives.inspect(part.filename, *message.ends[part.section])
    for packed in seen.names:
        inner = danger(Part("", "", 0, filename=packed.rpartition("/")[2]))
        if inner is Danger.DISGUISED or (inner in _HARMFUL and seen.count <= FEW_FILES):
            return Danger.PACKED, f"{name} ({packed.rpartition('/')[2][:80]})"
    if seen.locked:
        return Danger.LOCKED, name
    return (Danger.MACROS if seen.macros else None), name


def dangers(parts: Iterable[Part], message: Message | None = None) -> list[tuple[Danger, str]]:
    """The dangerous ones among `parts`, with their labels."""
    found = [danger_in(part, message) if message else (danger(part), part.filename or part.type) for part in parts]
    return [(kind, name) for kind, name in found if kind is not None]


def is_harmful(kind: Danger) -> bool:
    """Whether this kind is hardly ever legitimate in mail; web pages and documents with macros sometimes are."""
    return kind in _HARMFUL
