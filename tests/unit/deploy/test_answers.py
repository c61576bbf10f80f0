"""What the installer asks: from a file, at a terminal, and what it refuses."""

from __future__ import annotations

import pytest

from deploy.installer import answers
from deploy.installer.changes import InstallError

GIVEN = {"domain": "lycee.example", "name": "Lycée Ampère", "administrator": "alice@lycee.example", "administrator_name": "Alice"}


def test_names_of_servers_follow_from_the_domain():
    found = answers.complete(GIVEN, None)
    assert (found.mail_host, found.webmail_host) == ("mail.lycee.example", "webmail.lycee.example")


def test_what_was_written_is_read_again(tmp_path):
    file = tmp_path / "install.toml"
    before = answers.complete({**GIVEN, "antivirus": True, "mail_host": "mx.lycee.example"}, None)
    file.write_text(answers.as_text(before))
    assert answers.complete(answers.read(file), None) == before


def test_what_is_missing_is_asked_and_a_wrong_answer_asked_again():
    typed = iter(["Lycée", "lycee.example", "Lycée Ampère", "alice@elsewhere.example", "alice@lycee.example", "Alice"])
    asked = []

    def ask(words: str, usual: str) -> str:
        asked.append((words, usual))
        return next(typed)

    assert answers.complete({}, ask).administrator == "alice@lycee.example"
    assert "no name of the internet" in asked[1][0] and "somebody@lycee.example" in asked[4][0]
    assert asked[3][1] == "admin@lycee.example"


def test_nobody_can_be_asked():
    with pytest.raises(InstallError, match="administrator is not answered"):
        answers.complete({"domain": "lycee.example", "name": "Lycée"}, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("domain", "lycee"),
        ("domain", "-lycee.example"),
        ("domain", "Lycee.example"),
        ("domain", "lycee.example; rm -rf /"),
        ("name", 'Lycée "Ampère"'),
        ("name", "Lycée\nAmpère"),
        ("name", "$(id)"),
        ("administrator", "alice@elsewhere.example"),
        ("administrator", "al ice@lycee.example"),
        ("certificate", "somehow"),
        ("certificate", "files"),
        ("certificate_file", "../key"),
        ("timezone", "Europe/Paris; id"),
        ("dkim_selector", "a.b"),
        ("other_domains", "college.example Lycee"),
        ("database", "mysql"),
    ],
)
def test_what_could_mean_something_to_a_program_is_refused(name, value):
    with pytest.raises(InstallError):
        answers.complete({**GIVEN, name: value}, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('colour = "red"', "no answer called colour"),
        ('antivirus = "yes"', "true or false"),
        ("domain = 3", "a text in quotes"),
        ("domain =", "can't be read"),
    ],
)
def test_a_file_that_is_wrong_is_told(tmp_path, text, words):
    file = tmp_path / "answers.toml"
    file.write_text(text)
    with pytest.raises(InstallError, match=words):
        answers.read(file)


def test_no_file_answers_nothing(tmp_path):
    assert answers.read(tmp_path / "none") == {}


def test_a_domain_that_was_another_goes_on_to_take_mail():
    given = answers.with_former({**GIVEN, "domain": "college.example", "administrator": "a@college.example"}, GIVEN)
    assert answers.complete(given, None).domains == ("college.example", "lycee.example")
    assert answers.with_former(given, given) == given, "told once"
    back = answers.with_former({**given, "domain": "lycee.example", "administrator": "alice@lycee.example"}, given)
    assert answers.complete(back, None).domains == ("lycee.example", "college.example")
    assert answers.with_former(GIVEN, {}) == GIVEN, "the first time there is none before"
