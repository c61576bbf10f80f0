"""RTF: decompresses and parses the rich text that Outlook writes instead of a body, to its embedded HTML or to plain text.

[MS-OXRTFCP] is the compression, [MS-OXRTFEX] the encapsulation of HTML. Both take linear time and stop at the end of the input.
(Of the available libraries, one takes cubic time and the other has thirty dependencies.)
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace

from webmail.mime.charsets import decode_bytes, without_surrogates

SIZE_LIMIT = 2_000_000  # bytes of RTF that are parsed
DEPTH_LIMIT = 500  # nested groups

# [MS-OXRTFCP] section 2.1.2.1: the initial dictionary, in a window of 4,096 bytes
_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial"
    rb"Times New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4096


@dataclass(frozen=True, slots=True)
class RtfDocument:
    """`html`, not sanitized, if the RTF encapsulates HTML; else `text`."""

    text: str = ""
    html: str = ""


def unpack(data: bytes) -> bytes:
    """Decompress PR_RTF_COMPRESSED, as far as it is valid; b"" if it is not compressed RTF. At most SIZE_LIMIT bytes."""
    if len(data) < 16:
        return b""
    kind = data[8:12]
    if kind == b"MELA":
        return data[16 : 16 + min(struct.unpack_from("<I", data, 4)[0], SIZE_LIMIT)]
    return _inflated(data) if kind == b"LZFu" else b""


def _inflated(data: bytes) -> bytes:
    out = bytearray(_BEGINNING.rjust(_WINDOW))
    place = 16
    while place < len(data) and len(out) < SIZE_LIMIT + _WINDOW:
        control = data[place]
        place += 1
        for bit in range(8):
            if place >= len(data):
                break
            if not control >> bit & 1:
                out.append(data[place])
                place += 1
                continue
            if place + 2 > len(data):
                break
            token = int.from_bytes(data[place : place + 2], "big")
            place += 2
            back = (len(out) + len(_BEGINNING) - (token >> 4)) % _WINDOW
            if not back:  # a reference to the write position marks the end
                return bytes(out[_WINDOW:])
            for _count in range((token & 15) + 2):
                out.append(out[-back])
    return bytes(out[_WINDOW : _WINDOW + SIZE_LIMIT])


def read(rtf: bytes) -> RtfDocument:
    """Parse RTF. Never raises; the result is empty if it is not RTF."""
    if not rtf.lstrip().startswith(b"{\\rtf"):
        return RtfDocument()
    from_html = b"\\fromhtml1" in rtf[:2000]
    reader = _Reader(from_html)
    reader.feed(rtf[:SIZE_LIMIT])
    written = reader.written()
    return RtfDocument(html=written) if from_html else RtfDocument(text=written)


@dataclass(frozen=True, slots=True)
class _Group:
    """State that ends with the group's closing brace."""

    skipped: bool = False
    markup: bool = False  # in \*\htmltag
    hidden: bool = False  # between \htmlrtf and \htmlrtf0: duplicate content for RTF readers
    field: str = ""  # "fldinst" holds a link's URL, "fldrslt" its text
    fonts: bool = False
    after_unicode: int = 1  # fallback characters after \u, for readers without Unicode
    codepage: str = ""  # of the font; "": the document's


_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])|(?P<brace>[{}])|"
    r"[\r\n\0]+|(?P<text>[^\\{}\r\n\0]+)",
    re.S,
)
_DROPPED_NAMES = (
    "colortbl stylesheet info pict objdata header headerl headerr headerf footer footerl footerr footerf footnote annotation "
    "listtable listoverridetable rsidtbl generator themedata datastore xmlnstbl filetbl revtbl latentstyles"
)
_DROPPED = frozenset(_DROPPED_NAMES.split())
_CHARACTERS = {
    "par": "\n", "line": "\n", "sect": "\n\n", "page": "\n\n", "row": "\n", "tab": "\t", "cell": "\t", "nestcell": "\t",
    "nestrow": "\n", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "emspace": "\u2003", "enspace": "\u2002", "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
_SYMBOLS = {"~": "\u00a0", "_": "\u2011", "{": "{", "}": "}", "\\": "\\", "\n": "\n", "\r": "\n"}
_CHARSETS = {
    128: "cp932", 129: "cp949", 134: "cp936", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255",
    178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 255: "cp850",
}  # fmt: skip
_LINK = re.compile(r'HYPERLINK\s{1,9}"?([^\s"]{1,2000})')


class _Reader:
    def __init__(self, from_html: bool) -> None:
        self._from_html = from_html
        self._group = _Group()
        self._groups: list[_Group] = []
        self._out: list[str] = []
        self._bytes = bytearray()  # 8-bit text, not yet decoded
        self._ignored = 0  # fallback characters after \u still to be skipped
        self._starred = False
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._codepage = "cp1252"
        self._address: list[str] = []
        self._shown_from = 0

    def feed(self, rtf: bytes) -> None:
        source = rtf.decode("latin-1")
        place = 0
        while match := _TOKEN.match(source, place):
            place = match.end()
            if word := match["word"]:
                number = int(match["number"]) if match["number"] else None
                if word == "bin":
                    place += max(number or 0, 0)
                elif self._ignored and word != "u":
                    self._ignored -= 1
                else:
                    self._word(word, number)
            elif match["brace"]:
                if len(self._groups) > DEPTH_LIMIT:
                    return
                self._brace(match["brace"])
            elif match["hex"]:
                self._characters(bytes((int(match["hex"], 16),)))
            elif match["symbol"]:
                self._symbol(match["symbol"])
            elif match["text"]:
                self._characters(match["text"].encode("latin-1"))

    def written(self) -> str:
        self._flush()
        whole = "".join(self._out).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return without_surrogates(whole)

    def _brace(self, brace: str) -> None:
        self._flush()
        self._ignored = 0
        self._starred = False
        if brace == "{":
            self._groups.append(self._group)
        elif self._groups:
            ended, self._group = self._group, self._groups.pop()
            if ended.field == "fldrslt" and self._group.field != "fldrslt":
                self._end_link()

    def _end_link(self) -> None:
        found = _LINK.search("".join(self._address))
        shown = "".join(self._out[self._shown_from :]).strip()
        if found and found[1] not in (shown, f"mailto:{shown}"):
            self._out.append(f" <{found[1]}>")
        self._address.clear()

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = True
        elif self._ignored:
            self._ignored -= 1
        elif symbol in _SYMBOLS:
            self._write(_SYMBOLS[symbol])

    def _word(self, word: str, number: int | None) -> None:
        self._flush()
        starred, self._starred = self._starred, False
        if starred or word in _DROPPED:
            self._begin(word)
            return
        match word:
            case "fonttbl":
                self._group = replace(self._group, fonts=True, skipped=True)
            case "fldrslt":
                self._group = replace(self._group, field=word)
                self._shown_from = len(self._out)
            case "fldinst":
                self._begin(word)
            case "htmlrtf":
                self._group = replace(self._group, hidden=number != 0)
            case "ansicpg" if number:
                self._codepage = _codepage(number)
            case "f" if number is not None:
                self._use_font(number)
            case "fcharset" if self._group.fonts:
                self._fonts[self._font] = _CHARSETS.get(number or 0, "")
            case "plain":
                self._group = replace(self._group, codepage="")
            case "uc":
                self._group = replace(self._group, after_unicode=min(max(number or 0, 0), 9))
            case "u" if number is not None:
                self._write(chr(number & 0xFFFF))
                self._ignored = self._group.after_unicode
            case _:
                if word in _CHARACTERS:
                    self._write(_CHARACTERS[word])

    def _begin(self, destination: str) -> None:
        """Start a destination group, which is not part of the text, except for HTML tags and the URLs of links."""
        if destination == "htmltag" and self._from_html:
            self._group = replace(self._group, markup=True, hidden=False)
        elif destination == "fldinst":
            self._group = replace(self._group, field=destination)
        else:
            self._group = replace(self._group, skipped=True)

    def _use_font(self, number: int) -> None:
        self._font = number
        if not self._group.fonts:
            self._group = replace(self._group, codepage=self._fonts.get(number, ""))

    def _characters(self, data: bytes) -> None:
        passed = min(self._ignored, len(data))
        self._ignored -= passed
        self._bytes += data[passed:]

    def _flush(self) -> None:
        if self._bytes:
            data = bytes(self._bytes)
            self._bytes.clear()
            self._write(data.decode("ascii") if data.isascii() else decode_bytes(data, self._group.codepage or self._codepage))

    def _write(self, text: str) -> None:
        self._flush()
        group = self._group
        if group.skipped or group.hidden:
            return
        if group.field == "fldinst":
            self._address.append(text)
        else:
            self._out.append(text)


def _codepage(number: int) -> str:
    return {65001: "utf-8", 10000: "macintosh", 20127: "us-ascii"}.get(number, f"cp{number}")
