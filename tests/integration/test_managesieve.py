"""ManageSieve on a real Dovecot, by password and by token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail import managesieve
from webmail.account import Token
from webmail.errors import SignInRefusedError, TokenRefusedError


@pytest.mark.parametrize("token", [True, False], ids=["token", "password"])
def test_sign_in_to_managesieve_and_list(make_account, account_of, token):
    with managesieve.connect(account_of(make_account(), token=token)) as connection:
        assert "fileinto" in connection.greeting.extensions
        assert all(isinstance(script, managesieve.Script) for script in connection.list())


def test_managesieve_refuses_a_wrong_password_and_a_foreign_token_at_once(make_account, account_of, issuer):
    account = account_of(make_account(), token=False)
    wrong = replace(account, credential=replace(account.credential, password="wrong"))
    foreign = replace(account, credential=Token(account.address, replace(issuer, issuer="https://other.example")))
    for refused, error in ((wrong, SignInRefusedError), (foreign, TokenRefusedError)):
        with pytest.raises(error), managesieve.connect(refused):
            pass
