"""vCard versions: a kept card as vCard 3.0 (RFC 2426) or 4.0 (RFC 6350) for programs that read only one of them.

Only what the two write in different ways is changed; every other line stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace

from webmail.mime.formats.cards import vcard_lines
from webmail.mime.formats.cards.vcard_lines import VcardLine, escaped, written

VERSIONS = ("3.0", "4.0")
_NAMES = {  # 3.0: 4.0
    "X-ADDRESSBOOKSERVER-KIND": "KIND", "X-ADDRESSBOOKSERVER-MEMBER": "MEMBER", "X-ANNIVERSARY": "ANNIVERSARY",
    "X-GENDER": "GENDER",
}  # fmt: skip
_BACK = {new: old for old, new in _NAMES.items()}
_DATES = ("BDAY", "ANNIVERSARY", "X-ANNIVERSARY")
_PICTURES = ("PHOTO", "LOGO")
_DATA = re.compile(r"data:image/([\w.+-]+)(?:;[^,]*)?;base64,(.*)", re.IGNORECASE | re.DOTALL)
_LONG, _SHORT = re.compile(r"(\d{4})-(\d\d)-(\d\d)"), re.compile(r"(\d{4})(\d\d)(\d\d)")
_NO_YEAR = re.compile(r"--(\d\d)-?(\d\d)")
_GENDERS = {"female": "F", "male": "M", "other": "O"}


def in_version(card: str, version: str) -> str:
    """The card in this version; as it is if it is in that one already, or neither 3.0 nor 4.0 was asked for."""
    lines = vcard_lines.lines_in(card)
    now = next((line.value for line in lines if line.name == "VERSION"), "3.0")
    if version not in VERSIONS or now == version:
        return card
    change = _newer if version == "4.0" else _older
    found = [change(line) for line in lines if line.name != "VERSION"]
    parts = [written(line) for line in found if line is not None]
    if version == "3.0" and all(line.name != "N" for line in lines):  # required there
        name = next((line.text for line in lines if line.name == "FN"), "")
        parts.append(vcard_lines.made("N", f"{escaped(name)};;;;"))
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *parts, "END:VCARD", ""])


def _newer(line: VcardLine) -> VcardLine | None:
    params = [(name, word) for name, word in line.params if not (name in ("TYPE", "") and word.lower() == "pref")]
    params = [(name, word) for name, word in params if name != "CHARSET" and (name, word.lower()) != ("TYPE", "internet")]
    if "pref" in line.types:
        params.append(("PREF", "1"))
    name, value = _NAMES.get(line.name, line.name), line.value
    if name in _DATES:
        year = line.param("X-APPLE-OMIT-YEAR")
        value = _LONG.sub(lambda day: f"{day[1] if day[1] != year else '--'}{day[2]}{day[3]}", value)
        params = [pair for pair in params if pair != ("VALUE", "date") and pair[0] != "X-APPLE-OMIT-YEAR"]
    elif name == "GENDER":
        value = _GENDERS.get(value.lower(), value)
    elif name in _PICTURES and line.param("ENCODING").upper() in ("B", "BASE64"):
        kind = (line.param("TYPE") or "jpeg").lower()
        value = f"data:{kind if '/' in kind else f'image/{kind}'};base64,{''.join(value.split())}"
        params = [pair for pair in params if pair[0] not in ("ENCODING", "TYPE", "VALUE")]
    elif name == "LABEL":
        return None  # 4.0 has it as a parameter of ADR; the address itself tells the same
    return replace(line, name=name, value=value, params=tuple(params))


def _older(line: VcardLine) -> VcardLine | None:
    params = [(name, word) for name, word in line.params if name not in ("PREF", "ALTID", "PID", "MEDIATYPE", "INDEX")]
    if any(name == "PREF" and word == "1" for name, word in line.params):
        params.append(("TYPE", "pref"))
    name, value = _BACK.get(line.name, line.name), line.value
    if name in _DATES:
        value = _SHORT.sub(r"\1-\2-\3", value)
        if found := _NO_YEAR.fullmatch(value):
            value = f"1604-{found[1]}-{found[2]}"
            params.append(("X-APPLE-OMIT-YEAR", "1604"))
    elif name in _PICTURES and (found := _DATA.fullmatch(value.replace("\\,", ",").replace("\\;", ";"))):
        value = found[2]
        params = [("ENCODING", "b"), ("TYPE", found[1].upper().replace("JPG", "JPEG"))]
    elif name == "TEL" and value.lower().startswith("tel:"):
        value = value[4:]
        params = [pair for pair in params if pair != ("VALUE", "uri")]
    return replace(line, name=name, value=value, params=tuple(params))
