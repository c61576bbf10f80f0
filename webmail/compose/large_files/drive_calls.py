"""Drive calls: what is asked about large files on drives of their writers; imported late, since most messages have none."""

from __future__ import annotations

from webmail.late_calls import late_call

LINK_FILES, UNDO_LINKING = "drive-link-files", "drive-link-undo"  # kinds of tasks

are_offered = late_call("webmail.compose.large_files.drive_delivery:are_offered")
choose = late_call("webmail.compose.large_files.drive_delivery:choose")
chosen = late_call("webmail.compose.large_files.drive_delivery:chosen")
is_usual = late_call("webmail.compose.large_files.drive_delivery:is_usual")
set_usual = late_call("webmail.compose.large_files.drive_delivery:set_usual")
take_back = late_call("webmail.compose.large_files.drive_delivery:take_back")
usual = late_call("webmail.compose.large_files.drive_delivery:usual")
link_words = late_call("webmail.compose.large_files.drive_delivery:link_words")
problem_words = late_call("webmail.drives.drive_texts:problem_words")
