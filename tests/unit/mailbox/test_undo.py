"""Undo steps: what is merged, and how many messages they restore."""

from __future__ import annotations

import json

from webmail.mailbox.undo import UndoSteps


def test_a_message_that_several_steps_concern_counts_once() -> None:
    steps = UndoSteps()
    steps.flag("INBOX", 7, [1, 2], "Bleu", add=True)
    steps.flag("INBOX", 7, [2, 3], "Vert", add=False)
    steps.flag("Archive", 7, [2], "Vert", add=False)
    assert steps.messages() == 4


def test_steps_that_differ_in_uids_alone_are_one() -> None:
    steps = UndoSteps()
    steps.move("Archive", 7, [5], "INBOX")
    steps.move("Archive", 7, [6], "INBOX")
    steps.move("Archive", 7, [], "Sent")
    assert json.loads(steps.dumps()) == [["move", "Archive", 7, "INBOX", "5:6"]]
