"""Demo files: generates small valid attachments: PDF, PNG, spreadsheets and word-processor documents."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

from deploy.demo.letters.letter import File
from deploy.demo.letters.people import PUPIL_LIST

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
_EPOCH = (2026, 1, 1, 0, 0, 0)  # fixed, so that the same seed gives the same bytes


def make(kind_and_name: str, dice: random.Random) -> File:
    """The file requested by a scene: "pdf:Ordre du jour.pdf"."""
    kind, _, name = kind_and_name.partition(":")
    title = name.rsplit(".", 1)[0]
    if kind == "pdf":
        lines = ["Lycée Ampère, Lyon", "", *(f"{n}. {dice.choice(_POINTS)}" for n in range(1, dice.randrange(4, 9)))]
        return File(name, "application/pdf", pdf(title, lines))
    if kind == "docx":
        paragraphs = ["Lycée Ampère, Lyon", *(dice.choice(_POINTS) + "." for _ in range(4)), "Fait à Lyon."]
        return File(name, DOCX, docx(title, paragraphs))
    rows: list[Sequence[str | int]] = [
        ("Nom", "Classe", "Nombre"),
        *((p.name, p.classe, dice.randrange(1, 20)) for p in PUPIL_LIST),
    ]
    return File(name, XLSX, xlsx(title, rows)) if kind == "xlsx" else File(name, ODS, ods(title, rows))


_POINTS = (
    "Présentation de l'équipe",
    "Bilan du trimestre et moyennes de la classe",
    "Assiduité et vie scolaire",
    "Paroles des délégués",
    "Situations particulières",
    "Orientation et choix des spécialités",
    "Calendrier des évaluations communes",
    "Projets et sorties",
    "Questions diverses",
)


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """One A4 page of text (ISO 32000-1; WinAnsi, so French is fine)."""

    def show(text: str) -> bytes:
        raw = text.encode("cp1252", "replace")
        return b"(" + raw.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)") + b") Tj\n"

    stream = b"BT /F2 18 Tf 56 780 Td 20 TL\n" + show(title) + b"/F1 11 Tf 0 -16 Td\n"
    stream += b"".join(b"T*\n" + show(line) for line in lines) + b"ET\n"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%sendstream" % (len(stream), stream),
        font % b"Helvetica",
        font % b"Helvetica-Bold",
    ]
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def png(width: int, height: int, paint: bytes | None = None, colour: tuple[int, int, int] = (28, 92, 122)) -> bytes:
    """A true-colour PNG: `paint` is its RGB bytes row by row; without it, a gradient of `colour` is drawn."""
    if paint is None:
        rows = bytearray()
        for y in range(height):
            for x in range(width):
                shade = 0.55 + 0.45 * ((x / width + y / height) / 2)
                rows += bytes(min(255, int(c * shade + 60 * (1 - shade))) for c in colour)
        paint = bytes(rows)
    raw = b"".join(b"\0" + paint[y * width * 3 : (y + 1) * width * 3] for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 6)) + chunk(b"IEND", b"")


def landscape(width: int, height: int, dice: random.Random) -> bytes:
    """A small PNG of hills under a sky."""
    heights = [height * 0.55, height * 0.65, height * 0.78]
    hills = [[h + dice.uniform(-0.08, 0.08) * height for _ in range(6)] for h in heights]
    colours = [(116, 148, 138), (84, 124, 98), (52, 88, 66)]
    rows = bytearray()
    for y in range(height):
        sky = (int(150 + 80 * y / height), int(190 + 40 * y / height), 235)
        for x in range(width):
            spot = x / width * 5
            left = int(spot)
            pixel = sky
            for line, colour in zip(hills, colours, strict=True):
                if y > line[left] + (line[min(left + 1, 5)] - line[left]) * (spot - left):
                    pixel = colour
            rows += bytes(pixel)
    return png(width, height, bytes(rows))


def logo(letters_colour: tuple[int, int, int] = (255, 255, 255), ground: tuple[int, int, int] = (28, 92, 122)) -> bytes:
    """A 96 x 32 logo: a big A between two bars."""
    rows = bytearray()
    for y in range(32):
        for x in range(96):
            leg = abs(abs(x - 48) - (y - 4) * 0.5) < 2.2 and 4 <= y < 28
            bar = y in (18, 19, 20) and abs(x - 48) < 8
            side = 12 <= y < 20 and (8 <= x < 28 or 68 <= x < 88) and y % 4 < 2
            rows += bytes(letters_colour if leg or bar or side else ground)
    return png(96, 32, bytes(rows))


def _archive(parts: dict[str, str], stored_first: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(info, content, zipfile.ZIP_STORED if name == stored_first else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument"


def _office(main: str, kind: str, parts: dict[str, str], overrides: dict[str, str]) -> bytes:
    """An Office Open XML package (ECMA-376) whose main part is `main`."""
    listed = "".join(f'<Override PartName="/{name}" ContentType="{value}"/>' for name, value in {main: kind, **overrides}.items())
    types = (
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    )
    relations = (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>'
    )
    return _archive({"[Content_Types].xml": types, "_rels/.rels": relations, **parts})


def xlsx(title: str, rows: Sequence[Sequence[str | int]]) -> bytes:
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(
            f'<c r="{chr(65 + i)}{number}"><v>{v}</v></c>'
            if isinstance(v, int)
            else f'<c r="{chr(65 + i)}{number}" t="inlineStr"><is><t>{escape(v)}</t></is></c>'
            for i, v in enumerate(row)
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    book = (
        f'{_XML}<workbook xmlns="{space}" xmlns:r="{_OFFICE}">'
        f'<sheets><sheet name="{escape(title[:30])}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    sheet = f'{_XML}<worksheet xmlns="{space}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    relations = (
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    parts = {"xl/workbook.xml": book, "xl/_rels/workbook.xml.rels": relations, "xl/worksheets/sheet1.xml": sheet}
    kind = f"{_TYPES}.spreadsheetml"
    return _office("xl/workbook.xml", f"{kind}.sheet.main+xml", parts, {"xl/worksheets/sheet1.xml": f"{kind}.worksheet+xml"})


def docx(title: str, paragraphs: Sequence[str]) -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    bold = f'<w:p><w:r><w:rPr><w:b/><w:sz w:val="32"/></w:rPr><w:t>{escape(title)}</w:t></w:r></w:p>'
    body = bold + "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    document = f'{_XML}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
    return _office("word/document.xml", f"{_TYPES}.wordprocessingml.document.main+xml", {"word/document.xml": document}, {})


def ods(title: str, rows: Sequence[Sequence[str | int]]) -> bytes:
    """An OpenDocument spreadsheet (ISO 26300): `mimetype` comes first and uncompressed."""
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="float" office:value="{v}"><text:p>{v}</text:p></table:table-cell>'
            if isinstance(v, int)
            else f'<table:table-cell office:value-type="string"><text:p>{escape(v)}</text:p></table:table-cell>'
            for v in row
        )
        + "</table:table-row>"
        for row in rows
    )
    content = (
        f'{_XML}<office:document-content xmlns:office="{urn}:office:1.0" xmlns:table="{urn}:table:1.0"'
        f' xmlns:text="{urn}:text:1.0" office:version="1.2"><office:body><office:spreadsheet>'
        f'<table:table table:name="{escape(title)}">{lines}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        f'{_XML}<manifest:manifest xmlns:manifest="{urn}:manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return _archive({"mimetype": ODS, "content.xml": content, "META-INF/manifest.xml": manifest}, stored_first="mimetype")
