"""Words of the doctor: whoever reads French reads no English, but for what other programs said, commands and names of settings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_babel import force_locale

from webmail import doctor
from webmail.admin.watching import check_texts
from webmail.doctor import result
from webmail.doctor.result import lazy_gettext as _l
from webmail.errors import EnglishText, MailError

FOLDER = Path(doctor.__file__).parent
_TRANSLATING = {"_", "_l", "gettext", "lazy_gettext", "lazy_ngettext"}
_SENTENCE = re.compile(r"[a-z]{2,}[’',:;.]? [a-z]{2,}")  # two words beside each other
_NOT_SAID = re.compile(r"SELECT |^-|^[a-z]+ [-./]|^(chgrp|chmod|chown|usermod|doveadm|flask|GRANT)\b| && ")
_SIGNS = {"does not answer", "; dmarc=pass header.from="}  # looked for in what others said, or sent to them
# names of their own, which are the same in all languages
_OWN_NAMES = {"IMAP", "SMTP", "ManageSieve", "FileSender", "CAS", "Postfix"}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(FOLDER.rglob("*.py")):
        if file.name not in ("fixes.py", "wanted.py"):  # a command alone says those; files of DNS zones have comments in English
            yield file, ast.parse(file.read_text(encoding="utf-8"))


def titles() -> set[str]:
    """Names of checks as commands give them."""
    (table,) = [each for each in ast.walk(ast.parse(Path(check_texts.__file__).read_text())) if isinstance(each, ast.Dict)]
    return {key.value for key in table.keys if isinstance(key, ast.Constant)}


def untranslated(tree: ast.Module) -> Iterator[str]:
    """Sentences of a module that no function of translation gets, besides docstrings and what SQL or a shell reads."""
    fine = _SIGNS | titles()
    told = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _TRANSLATING
        for argument in call.args
        for part in ast.walk(argument)
    }
    docstrings = {
        id(each.body[0].value)
        for each in ast.walk(tree)
        if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef) and each.body and isinstance(each.body[0], ast.Expr)
    }
    for each in ast.walk(tree):
        is_text = isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in told | docstrings
        if is_text and _SENTENCE.search(each.value) and not _NOT_SAID.search(each.value) and each.value not in fine:
            yield each.value


def names(tree: ast.Module) -> Iterator[str]:
    """What checks are called, where that is written as a whole."""
    for each in ast.walk(tree):
        match each:
            case ast.Call(func=ast.Name(id="CheckResult"), args=[ast.Constant(value=name), *_others]):
                yield name
            case ast.Assign(targets=[ast.Name(id="_NAME")], value=ast.Constant(value=name)):
                yield name


@pytest.fixture
def french(tmp_path: Path) -> Iterator[None]:
    from webmail import create_app

    with create_app(tmp_path / "instance").app_context(), force_locale("fr"):
        yield


def test_every_sentence_of_the_doctor_is_in_the_catalogue() -> None:
    found = {f"{file.relative_to(FOLDER)}: {words}" for file, tree in modules() for words in untranslated(tree)}
    assert found == set()


def test_that_test_finds_what_is_not() -> None:
    source = '"""A docstring of words."""\nCheckResult("Disk", OK, f"is full in {days} days: free up")\n_l("is full, free up")'
    assert list(untranslated(ast.parse(source))) == ["is full in ", " days: free up"]


def test_every_check_has_a_name_in_french(french: None) -> None:
    known = {name for _file, tree in modules() for name in names(tree)}
    assert {"Disk", "Round trip", "Malware scanner"} <= known
    same = {name for name in known - _OWN_NAMES if check_texts.title(name) == name}
    assert same == {"Cookies"}
    assert check_texts.title("Devices, IMAP") == "Appareils, IMAP" and check_texts.title("IMAP QUOTA") == "IMAP QUOTA"


def test_what_stands_inside_of_a_sentence_is_translated_too(french: None) -> None:
    inner = EnglishText("%(file)s can’t be read (%(why)s)", file="/etc/terms", why="permission denied")
    words = _l("%(why)s; meanwhile nobody is asked to accept them (terms_file).", why=result.why(MailError(inner)))
    assert str(words).startswith("/etc/terms est illisible (permission denied)\xa0; en attendant, personne")
    with force_locale("en"):
        assert str(words).startswith("/etc/terms can’t be read (permission denied); meanwhile")


def test_words_of_other_programs_stay_as_they_are_without_their_full_stop(french: None) -> None:
    assert result.why(OSError("550 5.1.1 No such user.")) == "550 5.1.1 No such user"


def test_below_a_heading_a_sentence_has_a_capital_and_an_address_stays_as_it_is() -> None:
    said = [
        check_texts.as_sentence(text)
        for text in ("n’est pas à jour.", "is full.", "mail.lycee.example answers.", "/srv is full", "à")
    ]
    assert said == ["N’est pas à jour.", "Is full.", "mail.lycee.example answers.", "/srv is full", "à"]


def test_an_english_text_is_text() -> None:
    words = EnglishText("%(count)s hours", count=3)
    assert words == "3 hours" and f"{words} ago" == "3 hours ago" and EnglishText("100 % sure") == "100 % sure"
