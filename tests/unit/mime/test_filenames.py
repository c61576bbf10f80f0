"""Names of files as a message gives them, made safe."""

from __future__ import annotations

import pytest

from webmail.mime.headers import headers


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"filename": "plan.pdf"}, "plan.pdf"),
        ({"NAME": "plan.pdf"}, "plan.pdf"),
        ({"name": "old.pdf", "filename": "new.pdf"}, "new.pdf"),
        ({"filename": "ascii.pdf", "filename*": "UTF-8''acc%C3%A8s.pdf"}, "accès.pdf"),
        ({"filename*1*": "s.pdf", "filename*0*": "UTF-8'fr'acc%C3%A8"}, "accès.pdf"),
        ({"filename*0": "long ", "filename*1": "name.pdf"}, "long name.pdf"),
        ({"filename*0*": "iso-8859-1''%E9", "filename*1": "t%20.txt"}, "ét%20.txt"),
        ({"filename": "=?utf-8?Q?acc=C3=A8s.pdf?="}, "accès.pdf"),
        ({"filename*": "nothing''%E9.txt"}, "é.txt"),
        ({"filename": "acc\udce8s.pdf"}, "accès.pdf"),  # a raw byte that came through surrogateescape
        ({"filename*": "''%41\udcff.txt"}, "Aÿ.txt"),
        ({"filename": "a\ud800.txt"}, "a_.txt"),
        ({"filename": "../../etc/passwd"}, "passwd"),
        ({"filename": "C:\\Temp\\plan.pdf"}, "plan.pdf"),
        ({"filename": "photo\u202egpj.exe"}, "photogpj.exe"),
        ({"filename": "a\r\nb\x00.txt"}, "a b.txt"),
        ({"filename": "..."}, ""),
        ({"filename": "con.txt"}, "_con.txt"),
        ({"filename": 'a<b>:"c|?*.txt'}, "a_b___c___.txt"),
        ({"filename*0*": "x" * 10}, "xxxxxxxxxx"),
        ({"filename*7": "lost"}, ""),
        ({}, ""),
    ],
)
def test_file_names_are_safe(params, expected):
    assert headers.filename(params) == expected


def test_a_long_file_name_keeps_its_extension():
    name = headers.filename({"filename": "é" * 3000 + ".tar.gz"})
    assert len(name) == 200
    assert name.endswith(".gz")
