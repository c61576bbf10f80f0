"""What pages call mailboxes."""

from __future__ import annotations

from pathlib import Path

from flask import g

from tests.support import calendar_ground as ground
from webmail.mail import Mailbox
from webmail.web import labels
from webmail.web.formatting import written_in


def test_usual_folders_of_others_are_called_as_one_s_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(labels, "owner_label", lambda owner: owner)
    names = ["Drafts", "Sorties", "Sorties/Sent"]
    with ground.application(tmp_path / "instance") as app, app.test_request_context(), written_in("fr"):
        g.overview = {name: Mailbox(f"Shared/bob/{name}", owner="bob", prefix="Shared/bob/") for name in names}
        assert [labels.mailbox_label(name) for name in names] == ["Brouillons (bob)", "Sorties (bob)", "Sent (bob)"]
