"""Attachments that can do harm when they are opened, by their name and type alone: nothing of them is fetched."""

from __future__ import annotations

import re
from enum import StrEnum

from webmail.mail import Part


class Danger(StrEnum):
    DISGUISED = "disguised"  # a program that is named like a document
    PROGRAM = "program"  # programs and scripts
    SHORTCUT = "shortcut"  # opens something else
    DISK = "disk"  # an image of a disk: what is in it escapes the marks of the internet
    MACROS = "macros"  # an office document that may run commands
    PAGE = "page"  # a web page, which can imitate a sign-in


_EXTENSIONS = {
    Danger.PROGRAM: "exe scr com pif bat cmd msi msp msix appx jar jnlp apk app dll cpl sys ps1 psm1 psd1 vb vbs vbe vba js jse "
    "wsf wsh wsc sct hta msc reg inf gadget ade adp chm xll command workflow action pkg deb rpm run",
    Danger.SHORTCUT: "lnk url website webloc desktop scf library-ms search-ms settingcontent-ms appref-ms rdp theme",
    Danger.DISK: "iso img vhd vhdx dmg udf wim",
    Danger.MACROS: "docm dotm xlsm xltm xlam xlsb pptm potm ppsm ppam sldm one onepkg slk iqy",
    Danger.PAGE: "html htm shtml xhtml xht mht mhtml svg svgz",
}
_KINDS = {extension: kind for kind, words in _EXTENSIONS.items() for extension in words.split()}
_TYPES = {
    "application/x-msdownload": Danger.PROGRAM,
    "application/x-dosexec": Danger.PROGRAM,
    "application/x-msdos-program": Danger.PROGRAM,
    "application/vnd.microsoft.portable-executable": Danger.PROGRAM,
    "application/x-ms-shortcut": Danger.SHORTCUT,
    "application/hta": Danger.PROGRAM,
    "application/java-archive": Danger.PROGRAM,
    "application/x-iso9660-image": Danger.DISK,
    "application/x-apple-diskimage": Danger.DISK,
}
_MACRO_TYPE = re.compile(r"application/vnd\.ms-[a-z]+\.[a-z.]*macroenabled(\.12)?")
_DOCUMENT = re.compile("pdf|docx?|odt|rtf|txt|xlsx?|ods|csv|pptx?|odp|jpe?g|png|gif|webp|heic|mp[34]|mov|avi|wav|zip|rar|7z")
_HARMFUL = (Danger.DISGUISED, Danger.PROGRAM, Danger.SHORTCUT, Danger.DISK)
_DIRECTION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def danger(part: Part) -> Danger | None:
    """What kind of harm an attachment can do, None for most."""
    turned = bool(_DIRECTION.search(part.filename))
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


def is_harmful(kind: Danger) -> bool:
    """Whether hardly anybody sends such a thing by mail; web pages and documents with macros are sent now and then."""
    return kind in _HARMFUL
