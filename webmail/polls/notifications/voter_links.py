"""Voter links by mail: the private link by which somebody without an account changes what they answered."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import rate_limits, system_mail
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import Poll, PollVoter, SystemMessage
from webmail.polls import poll_texts, voting
from webmail.polls.voting import LINKS_OF_NETWORK, LINKS_OF_OWNER, LINKS_TO_ADDRESS
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def mail_link(poll: Poll, voter: PollVoter, network: str) -> bool:
    """Whether it leaves. Nothing in it was typed by who voted: the address may be somebody else's."""
    known = settings()
    link = public_link("polls.show", link=voting.token(voter, known))
    if not voter.address or not link or known.system_sender is None:
        return False
    bounded = LINKS_TO_ADDRESS.by(voter.address.lower()), LINKS_OF_NETWORK.by(network), LINKS_OF_OWNER.by(poll.owner_id)
    if not rate_limits.may(known, *bounded):
        return False
    language = voter.language or known.language
    try:
        with written_in(language):
            subject, body = _letter(poll, link)
        sent: SystemMessage | None = system_mail.send(
            voter.address, "poll", subject, body, language, secret_key=known.secret_key, reply_to=poll.owner.address
        )
    except (BadAddressError, UnsafeValueError):
        return False
    if sent is not None:
        wake_system_mail(sent)
    return sent is not None


def _letter(poll: Poll, link: str) -> tuple[str, str]:
    owner = poll.owner.name or poll.owner.address
    lines = [
        _("An answer was given to the poll “%(title)s” by %(owner)s, with this address.", title=poll.title, owner=owner),
        _("See the poll, and change the answer until %(day)s:", day=poll_texts.closing_words(poll)),
        link,
        _("Keep this link to yourself: anyone who has it can change the answer."),
        _("If you did not answer, ignore this message."),
    ]
    return _("Your answer to “%(title)s”", title=poll.title[:150]), "\n\n".join(lines) + "\n"
