"""Paths of files: what people name their files, and what somebody who means harm does."""

from __future__ import annotations

import itertools

import pytest

from webmail.models import TransferFile
from webmail.transfers.public import archive
from webmail.transfers.uploads import paths


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("rapport été.pdf", "rapport été.pdf"),
        ("Classe 3B/devoirs/Zoé.odt", "Classe 3B/devoirs/Zoé.odt"),
        ("../../etc/passwd", "etc/passwd"),
        ("..\\..\\windows\\system32", "windows/system32"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Users\\a.txt", "C_/Users/a.txt"),
        ("a/./b/../c", "a/b/c"),
        (".", "file"),
        ("..", "file"),
        ("", "file"),
        ("///", "file"),
        (".htaccess", ".htaccess"),
        ("a\0b.txt", "a_b.txt"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("con.txt", "_con.txt"),
        ("folder/AUX", "folder/_AUX"),
        ("con .txt", "_con .txt"),
        ("com¹.txt", "_com¹.txt"),
        ("LPT².pdf", "_LPT².pdf"),
        ("CONIN$", "_CONIN$"),
        ("conout$.log", "_conout$.log"),
        ("console.txt", "console.txt"),
        ("name. ", "name"),
        ("a:b*c?.txt", "a_b_c_.txt"),
        ("\ud800.txt", "_.txt"),
        ("tab\tand\nline.txt", "tab and line.txt"),
    ],
)
def test_a_path_is_made_harmless(given, kept):
    assert paths.clean(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/home/alice/private/marks.ods", "marks.ods"), ("C:\\Users\\alice\\marks.ods", "marks.ods"), ("\\\\server\\share\\a.txt", "a.txt"),
        ("Class 3B/marks.ods", "Class 3B/marks.ods"), ("marks.ods", "marks.ods"),
    ],
)  # fmt: skip
def test_a_form_does_not_tell_where_a_file_lies_on_ones_own_disk(given, kept):
    assert paths.of_form(given) == kept


def test_long_ones_are_cut_and_keep_their_ending():
    assert paths.clean("x" * 1000 + ".pdf") == "x" * 146 + ".pdf"
    assert len(paths.clean("/".join(["folder"] * 1000) + "/a.pdf")) <= paths.LONGEST


def test_a_name_that_is_taken_gets_a_number():
    assert paths.free("a/b.pdf", {"a/b.pdf", "a/b (2).pdf"}) == "a/b (3).pdf"
    assert paths.free("a.b/read", {"a.b/read"}) == "a.b/read (2)"


def test_thousands_that_differ_by_case_alone_are_numbered_in_little_time(monkeypatch):
    letters = itertools.product(*[(letter, letter.upper()) for letter in "abcdefghijkl"])
    names = ["".join(one) for one in letters] + ["folder", "Folder/a"]
    asked = []
    monkeypatch.setattr(archive._Taken, "__contains__", lambda self, name: asked.append(name) or name.casefold() in self._names)
    given = archive.names([TransferFile(path=name) for name in names])
    assert len({name.casefold() for name in given}) == len(names) and given[:2] == ["abcdefghijkl", "abcdefghijkL (2)"]
    assert given[-2:] == ["folder (2)", "Folder/a"]
    assert len(asked) == len(names) - 2  # one question for each that needs a number
