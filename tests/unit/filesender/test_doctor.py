"""What the doctor says of a FileSender: that it works, or what is wrong and where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail.config.filesender import FileSender
from webmail.doctor import filesender as doctor


def said(settings, filesender, **given) -> tuple[str, str]:
    usual = {"url": filesender.address, "application": filesender.application, "secret": filesender.secret}
    (found,) = doctor.examine(replace(settings, filesender=FileSender(**{**usual, **given})))
    return found.state, found.words


def test_it_is_well(settings, filesender):
    assert said(settings, filesender) == ("ok", "answers, and accepts what we sign.")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"secret": "another"}, "auth_remote_applications"),
        ({"application": "nobody"}, "knows no such application"),
        ({"url": "http://127.0.0.1:9"}, "does not answer"),
    ],
)
def test_what_is_set_wrongly_is_named(settings, filesender, given, words):
    state, told = said(settings, filesender, **given)
    assert state == "problem" and words in told


def test_a_clock_that_is_slow_is_told(settings, filesender):
    filesender.ahead = 20.0
    state, told = said(settings, filesender)
    assert state == "problem" and "clock" in told


def test_nothing_is_said_without_one(settings):
    assert list(doctor.examine(replace(settings, filesender=None))) == []


def test_without_a_secret_people_need_their_own(settings, filesender):
    assert said(settings, filesender, application="", secret="")[0] == "ok"
    (found,) = doctor.examine(replace(settings, services="", filesender=FileSender(url=filesender.address)))
    assert found.state == "problem" and "nobody can send" in found.words
