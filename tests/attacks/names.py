"""Names: forged and honest senders as the list and the page show them, and names that a pupil would like to have."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.attacks.ground import Ground
from tests.attacks.report import Finding
from tests.support import forgeries, senders
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.models import User
from webmail.people import display_names

_UNMARKED, _FALSE = 5, 2  # at most


def attacks(ground: Ground) -> list[Finding]:
    """In a database of its own: the ground's other people are nobody's colleagues here."""
    before = db.obj
    try:
        with tempfile.TemporaryDirectory() as folder:
            open_database(f"sqlite:///{Path(folder, 'names.sqlite')}")
            migrate()
            with db.connection_context():
                return _found()
    finally:
        db.initialize(before)


def _found() -> list[Finding]:
    senders.make_colleagues()
    every = list(senders.table())
    honest = len([one for one in every if one.is_honest])
    unmarked, false = senders.mistakes(User.get(User.address == "alice@lycee.example"))
    pupil = User.get(User.address == senders.PUPIL.address)
    taken = [
        name
        for name in senders.NAMES_OF_OTHERS
        if display_names.objection(pupil, name, forgeries.SETTINGS, pupil.address) is None
    ]
    return [
        Finding("Names and addresses of strangers that pretend", len(every) - honest, f"{len(unmarked)} go unmarked",
                len(unmarked) <= _UNMARKED),
        Finding("Honest strangers, 40 of them with a colleague’s surname", honest, f"{len(false)} are marked", len(false) <= _FALSE),
        Finding("A pupil’s name of their own: a colleague’s, an office’s, ours, in any dress", len(senders.NAMES_OF_OTHERS),
                f"{len(taken)} were taken", not taken),
    ]  # fmt: skip
