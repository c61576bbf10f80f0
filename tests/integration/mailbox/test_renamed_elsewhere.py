"""Acting in a folder that another program has renamed or deleted since: it is said to be gone, and the server is not away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.messages import message
from tests.support.visits import Visitor


@pytest.mark.parametrize(
    ("how", "act"), [("renamed", act) for act in ("delete", "flag", "move", "list", "message")] + [("deleted", "delete")]
)
def test_a_folder_that_is_gone(
    person: Visitor, imap_of: Callable[[str], Any], fill: Callable[..., list[int]], how: str, act: str
) -> None:
    client = imap_of(person.address)
    client.create_folder("Projets")
    uid, *_others = fill(person, *(message(f"Lettre {n}") for n in range(3)), mailbox="Projets")
    page = person.get("/mailbox/Projets")
    if how == "renamed":
        client.rename_folder("Projets", "Autres")
    else:
        client.delete_folder("Projets")
    match act:
        case "list":
            answer = person.get("/mailbox/Projets")
        case "message":
            answer = person.get(f"/message/{uid}/Projets")
        case _:
            answer = person.submit(page, "form#messages", action=act, to="INBOX", uids=[str(uid)])
    assert answer.status == 404
    assert person.get("/mailbox/INBOX").status == 200
