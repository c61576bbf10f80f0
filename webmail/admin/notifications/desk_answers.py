"""Answers of the desk by mail: the words, what they are about, and where to write back."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import system_mail
from webmail.accounts.request_texts import kind_words
from webmail.accounts.support_texts import trouble_words
from webmail.admin.desk.answering import AnswerLetter
from webmail.desk import cases
from webmail.models import DeskCase, DeskKind
from webmail.web.current import settings
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def answer_language(case: DeskCase) -> str:
    return system_mail.in_language_of(case.user, settings()) if case.user is not None else settings().language


def answer_mail(case: DeskCase, text: str) -> AnswerLetter:
    """In the language of who asked."""
    language = answer_language(case)
    with written_in(language):
        title = trouble_words(case.topic) if case.kind == DeskKind.SUPPORT else kind_words(case.kind)
        reference = cases.seen_of(case).get("reference", "")
        lines = [text]
        if case.text:
            lines.append(_("You wrote:") + "\n" + "\n".join(f"> {line}" for line in case.text.splitlines()[:40]))
        if reference:
            lines.append(_("Reference: %(reference)s", reference=reference))
        if case.user is not None and (link := public_link("accounts.show_requests")):
            lines.append(_("Your requests, where you can write back: %(link)s", link=link))
        return AnswerLetter(_("Answer: %(title)s", title=title)[:300], "\n\n".join(lines) + "\n", language)
