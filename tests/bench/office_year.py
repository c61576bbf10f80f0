"""A year's calendar at Microsoft 365 edited on both sides at random: `python -m tests.bench.office_year [SEED] [SCALE]` (35, 1).

3,000 events (a 15th of them series) with 200 changed or cancelled times are taken over from the fake Graph; then in five rounds 10 edits are
made on each side. Afterwards both sides mean the same, and each version that somebody wrote is there: in its event or as a copy.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from tests.support import calendar_ground, office_year
from tests.support.fakes.graph_mailbox import GraphMailbox
from tests.support.graph_pair import GraphPair
from webmail.dav.remote import side
from webmail.models import User


def main(seed: int, scale: int) -> None:
    with tempfile.TemporaryDirectory() as folder, calendar_ground.application(Path(folder) / "instance") as app:
        user = User.create(address="alice@lycee.example", local="alice", domain="lycee.example", language="en")
        side.give_way = lambda _seconds: None  # nobody else writes
        mailbox = GraphMailbox()
        began = time.monotonic()
        found = office_year.run(GraphPair(mailbox, app.extensions["settings"], user), mailbox, random.Random(seed), scale)
        print(f"{found}, {len(mailbox.asked)} requests, {time.monotonic() - began:.0f} s: equal, nothing lost")


if __name__ == "__main__":
    main(*(int(word) for word in [*sys.argv[1:], *["35", "1"][len(sys.argv) - 1 :]][:2]))
