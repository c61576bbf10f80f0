"""FileSender calls: what is asked about the large files of a message; imported late, since most installations have none."""

from __future__ import annotations

from webmail.late_calls import late_call

serves = late_call("webmail.filesender.access:serves")
take = late_call("webmail.filesender.handover:take")
why_not = late_call("webmail.filesender.handover:why_not")
forget = late_call("webmail.filesender.handover:forget")
is_there = late_call("webmail.filesender.handover:is_there")
recall = late_call("webmail.filesender.handover:recall")
link_of = late_call("webmail.filesender.handover:link_of")
hashes = late_call("webmail.filesender.handover:hashes")
problem_words = late_call("webmail.filesender.filesender_texts:problem_words")
