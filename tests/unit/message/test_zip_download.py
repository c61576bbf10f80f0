"""Names in an archive of attachments."""

from __future__ import annotations

from webmail.mail import Part
from webmail.message import zip_download


def part(section: str, name: str, type: str = "application/pdf") -> Part:
    return Part(section=section, type=type, size=10, filename=name)


def test_names_in_an_archive_differ_and_have_no_paths() -> None:
    found = [
        part("1", "a.pdf"),
        part("2", "A.pdf"),
        part("3", "a (2).pdf"),
        part("4", "a.pdf"),
        part("5", ""),
        part("6", "x/../y"),
        part("7", ""),
    ]
    assert list(zip_download.names(found)) == [
        "a.pdf",
        "A (2).pdf",
        "a (2) (2).pdf",
        "a (3).pdf",
        "attachment",
        "y",
        "attachment (2)",
    ]
