"""Transfer encoding: decodes Content-Transfer-Encoding (RFC 2045 section 6), tolerantly, at once or as a stream."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_PADDING = re.compile(b"=+")
# Matches only at the start of a run of blanks, so that a megabyte of them takes linear time.
_BLANKS_AT_END = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n)")
_BLANK_ENDS = (b" \n", b"\t\n", b" \r\n", b"\t\r\n")  # rare, and faster to test for than the pattern
_LINE_END = re.compile(rb"\r\n|\r|\n")
_UU = ("x-uuencode", "uuencode", "x-uue", "uue")
_LONGEST_LINE = 1 << 16


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Decode the content of a part; malformed input is skipped, an unknown encoding means none. Never raises."""
    decoder = TransferDecoder(encoding)
    return decoder.feed(data) + decoder.close()


def crlf_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks with line ends converted to CRLF and never split; none is empty."""
    held = b""  # a CR, until it is known whether its LF follows
    for chunk in chunks:
        piece = held + chunk
        held = b"\r" if piece.endswith(b"\r") else b""
        if piece := piece.removesuffix(held):
            yield _LINE_END.sub(b"\r\n", piece)
    if held:
        yield b"\r\n"


class TransferDecoder:
    """Incremental decoder in constant memory: `feed` each chunk, then `close`. Buffers at most one line (64 KB)."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().strip('"').lower()
        self._pending = b""
        self._started = False  # uuencode: "begin" was seen
        self._ended = False
        self._decode = {"base64": self._base64, "quoted-printable": self._quoted}.get(name)
        if name in _UU:
            self._decode = self._uu

    def feed(self, data: bytes) -> bytes:
        """Decode a chunk, as far as possible."""
        return self._decode(data, False) if self._decode else data

    def close(self) -> bytes:
        """Decode the rest."""
        return self._decode(b"", True) if self._decode else b""

    def _base64(self, data: bytes, last: bool) -> bytes:
        *ended, rest = _PADDING.split(self._pending + data.translate(None, _NOT_BASE64))
        # Padding ends one encoding; mailers that join several leave some in the middle (against RFC 2045 section 6.8).
        out = [_quantum(piece) for piece in ended]
        whole = len(rest) if last else len(rest) // 4 * 4
        out.append(_quantum(rest[:whole]))
        self._pending = rest[whole:]
        return b"".join(out)

    def _quoted(self, data: bytes, last: bool) -> bytes:
        data = self._pending + data
        cut = len(data) if last else data.rfind(b"\n") + 1
        if not cut and len(data) > _LONGEST_LINE:
            cut = len(data) - 2
            cut -= 1 if data[cut - 1 : cut] == b"=" else 0
        self._pending = data[cut:]
        data = data[:cut]
        return binascii.a2b_qp(_BLANKS_AT_END.sub(b"", data) if any(end in data for end in _BLANK_ENDS) else data)

    def _uu(self, data: bytes, last: bool) -> bytes:
        lines = (self._pending + data).split(b"\n")
        self._pending = b"" if last else lines.pop()[:_LONGEST_LINE]
        out = []
        for line in lines:
            line_text = line.rstrip(b"\r")
            if not self._started:
                self._started = line_text.startswith(b"begin ")
            elif line_text.strip() == b"end":
                self._ended = True
            elif not self._ended:
                out.append(_uu_line(line_text))
        return b"".join(out)


def _quantum(piece: bytes) -> bytes:
    if len(piece) % 4 == 1:
        piece = piece[:-1]
    return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))


def _uu_line(line: bytes) -> bytes:
    if not line:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # encoders that count wrong: use the length at the start of the line
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:wanted])
        except binascii.Error:
            return b""
