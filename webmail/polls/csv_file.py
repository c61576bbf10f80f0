"""A poll as a table for spreadsheets: a line for each who answered, a column for each date. No cell is a formula."""

from __future__ import annotations

import csv
import io

from flask_babel import gettext as _

from webmail.config.settings import Settings
from webmail.mime.formats.address_books.csv_out import harmless
from webmail.models import Poll
from webmail.polls import poll_texts, voting
from webmail.polls.results import PollResults


def written(poll: Poll, found: PollResults, settings: Settings) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    heads = [poll_texts.option_words(one, poll) for one in found.options]
    rows.writerow(map(harmless, [_("Name"), _("Address"), _("Account here"), *heads, _("Comment")]))
    for voter in found.voters:
        name, given = poll_texts.voter_name(voter, poll, settings), voting.answers_of(voter)
        answers = [poll_texts.answer_words(given[one.id]) if one.id in given else "" for one in found.options]
        cells = [name.text, voting.address_of(voter), _("yes") if name.ours else _("no"), *answers, voter.comment]
        rows.writerow(harmless(one.replace("\n", " ")) for one in cells)
    return ("\ufeff" + text.getvalue()).encode()
