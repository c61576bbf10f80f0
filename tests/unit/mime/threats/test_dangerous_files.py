"""Attachments that can do harm, by name and type."""

from __future__ import annotations

import pytest

from webmail.mail import Part
from webmail.mime.structure import classify, from_bytes
from webmail.mime.threats.dangerous_files import danger


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("setup.exe", "program"), ("SETUP.EXE", "program"), ("a.scr", "program"), ("a.js", "program"), ("a.vbs", "program"),
        ("a.ps1", "program"), ("a.hta", "program"), ("a.jar", "program"), ("a.bat.", "program"), ("a.msi ", "program"),
        ("facture.pdf.exe", "disguised"), ("facture.pdf .exe", "disguised"), ("photo.jpg.js", "disguised"),
        ("photo\u202egpj.exe", "disguised"), ("facture.docx.lnk", "disguised"),
        ("a.lnk", "shortcut"), ("a.url", "shortcut"), ("a.iso", "disk"), ("a.img", "disk"), ("a.vhdx", "disk"),
        ("a.docm", "macros"), ("a.xlsm", "macros"), ("a.xlsb", "macros"), ("a.one", "macros"),
        ("page.html", "page"), ("a.svg", "page"), ("a.pdf.html", "page"),
        ("notes.pdf", None), ("notes.v2.odt", None), ("tar.gz", None), ("exe", None), ("", None), ("winmail.dat", None),
        ("classe.xlsx", None), ("programme.exe.pdf", None), ("smime.p7s", None), ("data.csv", None), ("invite.ics", None),
    ],
)  # fmt: skip
def test_names(filename: str, kind: str | None) -> None:
    assert danger(Part("2", "application/octet-stream", 10, filename=filename)) == kind


@pytest.mark.parametrize(
    "name",
    [
        'filename="photo\u202egpj.exe"', "filename*=utf-8''photo%E2%80%AEgpj.exe", 'filename="=?utf-8?q?photo=E2=80=AEgpj.exe?="',
        "filename*0*=utf-8''photo%E2%80%AE; filename*1=gpj.exe",
    ],
)  # fmt: skip
def test_names_that_turn_their_letters_are_told_though_they_are_shown_without(name: str) -> None:
    raw = f"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; {name}\r\n\r\nx".encode()
    [part] = classify(from_bytes(raw)).attachments
    assert part.filename == "photogpj.exe" and part.turned and danger(part) == "disguised"


@pytest.mark.parametrize(
    ("type", "filename", "kind"),
    [
        ("application/x-msdownload", "", "program"),
        ("application/x-msdownload", "facture.pdf", "disguised"),
        ("application/vnd.ms-excel.sheet.macroEnabled.12", "classe", "macros"),
        ("application/vnd.ms-excel", "classe.xls", None),
        ("application/pdf", "x.pdf", None),
    ],
)
def test_types(type: str, filename: str, kind: str | None) -> None:
    assert danger(Part("2", type, 10, filename=filename)) == kind
