"""Sealed passwords open with everything that belongs to them, and with nothing less."""

import pytest

from webmail import vault

PASSWORD = "Mot de passe: été ✓"
TOKEN, SECRET, USER = "token-in-the-cookie", "secret-in-a-file", 7


@pytest.fixture
def sealed():
    return vault.seal_for_session(PASSWORD, TOKEN, SECRET, USER)


def test_a_session_gives_the_password_back(sealed):
    assert vault.open_for_session(sealed, TOKEN, SECRET, USER) == PASSWORD


def test_the_sealed_bytes_do_not_show_the_password(sealed):
    assert PASSWORD.encode() not in sealed


@pytest.mark.parametrize(
    ("token", "secret", "user"),
    [("another", SECRET, USER), (TOKEN, "another", USER), ("", SECRET, USER), (TOKEN, "", USER), (TOKEN, SECRET, 8)],
    ids=["cookie of another", "instance of another", "no cookie", "no secret", "row of another person"],
)
def test_it_takes_cookie_and_secret_and_person(sealed, token, secret, user):
    with pytest.raises(vault.CannotOpenError):
        vault.open_for_session(sealed, token, secret, user)


def test_every_changed_byte_is_noticed(sealed):
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(vault.CannotOpenError):
            vault.open_for_session(bytes(changed), TOKEN, SECRET, USER)


@pytest.mark.parametrize("length", [0, 1, 12, 28, 40])
def test_bytes_cut_short_are_noticed(sealed, length):
    with pytest.raises(vault.CannotOpenError):
        vault.open_for_session(sealed[:length], TOKEN, SECRET, USER)


def test_the_same_password_never_looks_the_same_twice(sealed):
    assert vault.seal_for_session(PASSWORD, TOKEN, SECRET, USER) != sealed


def test_the_outbox_gives_the_password_back_to_the_instance_alone():
    sealed = vault.seal_for_outbox(PASSWORD, SECRET, USER)
    assert vault.open_for_outbox(memoryview(sealed), SECRET, USER) == PASSWORD
    with pytest.raises(vault.CannotOpenError):
        vault.open_for_outbox(sealed, "another", USER)
    with pytest.raises(vault.CannotOpenError):
        vault.open_for_outbox(sealed, SECRET, 8)


def test_a_session_and_the_outbox_do_not_open_each_others():
    with pytest.raises(vault.CannotOpenError):
        vault.open_for_session(vault.seal_for_outbox(PASSWORD, SECRET, USER), TOKEN, SECRET, USER)
    with pytest.raises(vault.CannotOpenError):
        vault.open_for_outbox(vault.seal_for_session(PASSWORD, TOKEN, SECRET, USER), SECRET, USER)
