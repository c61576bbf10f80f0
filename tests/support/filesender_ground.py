"""FileSenders that tests ask: the fake, and the real one where FILESENDER_CHECKOUT names it; both with the same limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import filesender_server
from tests.support.fakes.filesender import FakeFileSender, fake_filesender
from webmail.filesender.client import FileSenderAccess, rest_address

APPLICATION, SECRET = "traboule", "application-secret"
BOTH = ("fake", "real")
_CONFIG = """
$config['auth_remote_application_enabled'] = true;
$config['auth_remote_user_enabled'] = true;
$config['auth_remote_applications'] = array('traboule' => array(
    'secret' => 'application-secret', 'isAdmin' => false, 'acl' => array('*' => true)));
$config['upload_chunk_size'] = 262144;
$config['upload_crypted_chunk_size'] = 262144 + 16 + 16;
$config['max_transfer_size'] = 3000000;
$config['max_transfer_files'] = 5;
$config['max_transfer_recipients'] = 3;
$config['user_quota'] = 4000000;
$config['transfer_recipients_lang_selector_enabled'] = true;
$config['allow_transfer_expiry_date_extension'] = array(5, 3);
$config['message_can_not_contain_urls_regex'] = '(http[s]*:)';
"""


@dataclass
class Ground:
    """A FileSender that runs; `fake`: the fake itself."""

    address: str
    fake: FakeFileSender | None = None

    def access(
        self, user: str = "alice@lycee.example", *, secret: str = SECRET, application: str = APPLICATION
    ) -> FileSenderAccess:
        return FileSenderAccess(rest_address(self.address), secret, user, application)


@contextmanager
def running(kind: str) -> Iterator[Ground]:
    """Skips aloud where the real one is not here."""
    if kind == "fake":
        with fake_filesender(application=APPLICATION, secret=SECRET) as fake:
            yield Ground(fake.address, fake)
        return
    with tempfile.TemporaryDirectory(prefix="filesender-") as base:
        try:
            with filesender_server.running(Path(base), _CONFIG) as real:
                yield Ground(real.address)
        except filesender_server.NotHere as error:
            pytest.skip(f"the real FileSender is not tried: {error}")
