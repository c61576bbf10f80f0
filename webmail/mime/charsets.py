"""Charsets: decodes bytes to text by an allow-list of charset names, with fallbacks for unknown or wrong ones."""

from __future__ import annotations

import codecs
import re

# Names used in mail -> Python's codec. An allow-list, because Python's registry also has codecs that are no charset
# (rot13, zip, unicode_escape). As in browsers (WHATWG Encoding), a charset is decoded as its superset: latin-1 as cp1252,
# gb2312 as gb18030, shift_jis as cp932, euc-kr as cp949. UTF-7 is included because old Exchange servers send it; it is
# harmless if decoded before anything is escaped or sanitized, as everything in this package is.
_GROUPS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 us-ascii ascii ansi-x3.4-1968 ansi-x3.110-1983 iso646-us unknown-8bit default",
    "cp1252": "iso-8859-1 iso8859-1 iso88591 latin1 latin-1 l1 windows-1252 cp1252 cp-1252 x-cp1252 ansi iso-ir-100",
    "iso8859_2": "iso-8859-2 iso8859-2 latin2",
    "iso8859_3": "iso-8859-3 iso8859-3 latin3",
    "iso8859_4": "iso-8859-4 iso8859-4 latin4",
    "iso8859_5": "iso-8859-5 iso8859-5 cyrillic",
    "iso8859_6": "iso-8859-6 iso8859-6 iso-8859-6-i iso-8859-6-e arabic",
    "iso8859_7": "iso-8859-7 iso8859-7 greek",
    "iso8859_8": "iso-8859-8 iso8859-8 iso-8859-8-i iso-8859-8-e hebrew",
    "cp1254": "iso-8859-9 iso8859-9 latin5 windows-1254 cp1254",
    "iso8859_10": "iso-8859-10 iso8859-10 latin6",
    "cp874": "iso-8859-11 tis-620 tis620 windows-874 cp874",
    "iso8859_13": "iso-8859-13 iso8859-13 latin7",
    "iso8859_14": "iso-8859-14 iso8859-14 latin8",
    "iso8859_15": "iso-8859-15 iso8859-15 iso885915 latin9 latin-9 latin0",
    "iso8859_16": "iso-8859-16 iso8859-16 latin10",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1253": "windows-1253 cp1253",
    "cp1255": "windows-1255 cp1255",
    "cp1256": "windows-1256 cp1256",
    "cp1257": "windows-1257 cp1257",
    "cp1258": "windows-1258 cp1258",
    "cp437": "ibm437 cp437",
    "cp850": "ibm850 cp850",
    "cp852": "ibm852 cp852",
    "cp866": "ibm866 cp866",
    "koi8_r": "koi8-r koi8r",
    "koi8_u": "koi8-u koi8u",
    "mac_roman": "macintosh mac macroman x-mac-roman",
    "gb18030": "gb2312 gb-2312 gb2312-80 gbk gb18030 x-gbk cp936 euc-cn chinese",
    "hz": "hz-gb-2312 hz",
    "big5hkscs": "big5 big5-hkscs x-x-big5 cn-big5 cp950",
    "cp932": "shift-jis shiftjis sjis x-sjis cp932 windows-31j ms932",
    "euc_jp": "euc-jp eucjp x-euc-jp",
    "iso2022_jp_ext": "iso-2022-jp iso-2022-jp-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-ms csiso2022jp",
    "cp949": "euc-kr euckr ks-c-5601-1987 ks-c-5601 ksc5601 cp949 windows-949 korean",
    "iso2022_kr": "iso-2022-kr",
    "utf-7": "utf-7 utf7 unicode-1-1-utf-7",
    "utf-16": "utf-16 utf16 unicode ucs-2",
    "utf-16-le": "utf-16le utf-16-le",
    "utf-16-be": "utf-16be utf-16-be",
    "utf-32": "utf-32 utf32 ucs-4",
    "utf-32-le": "utf-32le",
    "utf-32-be": "utf-32be",
}
CODECS = {alias: codec for codec, aliases in _GROUPS.items() for alias in aliases.split()}

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def codec(charset: str) -> str:
    """Python's codec for a charset name in mail, or "" if the name is not in the allow-list."""
    name = charset.partition("*")[0].strip(" \t\"'").lower().replace("_", "-")  # RFC 2231 section 5: "utf-8*en"
    return CODECS.get(name, "")


def without_surrogates(text: str) -> str:
    """Replace lone surrogates, which can't be encoded, with U+FFFD."""
    try:
        text.encode()  # 20 times as fast as the pattern
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


def raw_bytes(text: str) -> bytes:
    """The bytes that were decoded to `text` as UTF-8 with surrogateescape; other lone surrogates become "?"."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def decode_bytes(data: bytes, charset: str = "") -> str:
    """Decode `data`. Never raises; the text has no lone surrogates.

    Uses the named charset if it is known; otherwise, and for ASCII and UTF-8, tries UTF-8, then cp1252.
    """
    if data.isascii() and codec(charset) in ("", "utf-8", "cp1252"):
        return data.decode("ascii")
    name = codec(charset)
    for mark, marked in _MARKS:
        if data.startswith(mark) and name in ("", "utf-8", "utf-16", "utf-32"):
            return _strip_mark(data.decode(marked, "replace"))
    if name in ("utf-16", "utf-32"):
        return _strip_mark(data.decode(f"{name}-be", "replace"))  # RFC 2781 section 4.3: big-endian without a mark
    if name not in ("", "utf-8"):
        return without_surrogates(_strip_mark(data.decode(name, "replace")))
    return _utf8_or_cp1252(data)


def _utf8_or_cp1252(data: bytes) -> str:
    try:
        return _strip_mark(data.decode("utf-8"))
    except UnicodeDecodeError:
        guess = data.decode("utf-8", "replace")
    # A few invalid bytes in mostly valid UTF-8 (a truncated message): keep it. Mostly invalid: it never was UTF-8.
    good = sum(1 for c in guess[:4096] if c > "\x7f" and c != "\ufffd")
    if good > 2 * guess.count("\ufffd", 0, 4096):
        return _strip_mark(guess)
    return data.decode("cp1252", "replace")


def _strip_mark(text: str) -> str:
    return text.removeprefix("\ufeff")
