"""Two-step verification for people of a demo, set up as the pages do."""

from __future__ import annotations

from pathlib import Path

from deploy.demo import accounts
from deploy.demo.services import Services
from webmail import config
from webmail.auth import authenticator, recovery_codes, second_step
from webmail.models import User


def give_codes(demo: Services, address: str, folder: Path) -> list[str]:
    """Give somebody an authenticator app; returns their ten recovery codes, which a test can type. `folder` is one for tests."""
    settings = config.load(folder / "second-step", secret_key=demo.settings()["WEBMAIL_SECRET_KEY"])
    with accounts.tables(demo.database):
        user = User.get(User.address == address)
        with second_step.changing(user):
            authenticator.add(user, "Phone", authenticator.new_secret(), 0, settings)
            return recovery_codes.make(user, settings)
