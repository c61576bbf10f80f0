"""Steps of a handover on a page or by command: recorded, carried out at once where that can be, and told."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from webmail import audit, preferences
from webmail.auth import address_owners, aliases
from webmail.calendar.free_busy import absence_times
from webmail.calendar.free_busy.absence_times import AbsencePhase
from webmail.config.settings import ConfigError, Settings
from webmail.errors import MailError
from webmail.establishments import establishments
from webmail.handover import mail_texts, rounds
from webmail.models import AuditAct, HandoverState, MailboxHandover, User, now
from webmail.people import handovers
from webmail.people.handovers import HandoverDoubt, HandoverRefusedError, HandoverTerms

_OWN_PASSWORD = timedelta(days=30)  # for so long two people must not have had a password from one another
_GIVES_PASSWORD = (AuditAct.ACCOUNT_ADDED, AuditAct.ACCOUNT_PASSWORD_SET, AuditAct.DEPUTY_PASSWORD_SET, AuditAct.FACTORS_RESET)
log = logging.getLogger(__name__)


def owner_is_away(owner: User) -> bool:
    """Whether administrators may agree in the owner's place: it is disabled, or the owner recorded that they are away."""
    known = absence_times.parse(preferences.for_user(owner).absence)
    return not owner.active or (known is not None and known.phase(datetime.now(UTC)) is AbsencePhase.ON)


def ask(
    owner: User, person: User | None, by: User, terms: HandoverTerms, settings: Settings, network: str = ""
) -> MailboxHandover:
    """Ask for it, or give it as the owner. Raises HandoverRefusedError."""
    handover = handovers.ask(owner, person, by, terms, _domains(owner, person, settings))
    _record(AuditAct.HANDOVER_ASKED, handover, by, network, reason=handover.reason or None, level=handover.kind)
    if handover.state == HandoverState.AGREED:
        _record(AuditAct.HANDOVER_AGREED, handover, by, network)
    return carry_out(handover, settings)


def _domains(owner: User, person: User | None, settings: Settings) -> tuple[str, ...]:
    """Those of the owner's colleagues: of another establishment nobody gets the mail. 2 queries where the domains differ."""
    if person is None or person.domain == owner.domain:
        return (owner.domain,)
    theirs, others = (establishments.of_domain(one.domain) for one in (owner, person))
    return settings.own_domains(owner.domain) if theirs == others else (owner.domain,)


def why_not(handover: MailboxHandover, by: User) -> HandoverDoubt | None:
    """Why somebody can't agree; None if they can. Up to 7 queries."""
    doubt = handovers.why_not(handover, by, owner_away=owner_is_away(handover.owner))
    if doubt is None and by.id != handover.owner_id and _are_perhaps_one(handover, by):
        return HandoverDoubt.PASSWORD
    return doubt


def _are_perhaps_one(handover: MailboxHandover, by: User) -> bool:
    """Whether one of the two who are to agree has lately given the other one a password, so that they may be one person."""
    asker, since = address_owners.account_of(handover.asked_by), now() - _OWN_PASSWORD
    if asker is None:
        return True  # nobody can tell any more
    names = {one.id: [one.address, *(row.address for row in aliases.of_account(one))] for one in (asker, by)}
    pairs = ((asker, by), (by, asker))
    return any(audit.has_done(one, _GIVES_PASSWORD, names[other.id], since) for one, other in pairs)


def agree(handover: MailboxHandover, by: User, settings: Settings, network: str = "") -> bool:
    """False if it was decided meanwhile. Raises HandoverRefusedError."""
    if doubt := why_not(handover, by):
        raise HandoverRefusedError(doubt)
    if not handovers.agree(handover, by, owner_away=owner_is_away(handover.owner)):
        return False
    _record(AuditAct.HANDOVER_AGREED, handover, by, network)
    carry_out(handover, settings)
    return True


def refuse(handover: MailboxHandover, by: User, settings: Settings, network: str = "") -> bool:
    if not handovers.refuse(handover, by):
        return False
    _record(AuditAct.HANDOVER_REFUSED, handover, by, network)
    mail_texts.tell(handover, settings)
    return True


def end(handover: MailboxHandover, by: User, settings: Settings, network: str = "") -> bool:
    """At once; what the mail server does not take back now, a worker has it take back within a minute."""
    if not rounds.finish(handover, by):
        return False
    _record(AuditAct.HANDOVER_ENDED, handover, by, network)
    carry_out(handover, settings)
    return True


def end_by_command(handover: MailboxHandover, settings: Settings) -> bool:
    """As `end`, by nobody who has an account."""
    if not rounds.finish(handover, None, "command"):
        return False
    carry_out(handover, settings)
    return True


def carry_out(handover: MailboxHandover, settings: Settings) -> MailboxHandover:
    """What is due now, and tell both."""
    try:
        rounds.advance(handover, settings)
    except (MailError, ConfigError) as error:
        log.warning("handover %d waits: %s", handover.id, error)
        handovers.note_problem(handover, "away")
    mail_texts.tell(handover, settings)
    return handover


def _record(
    act: AuditAct, handover: MailboxHandover, by: User, network: str, *, reason: str | None = None, level: str | None = None
) -> None:
    target, address = handover.owner.address, handover.person.address
    audit.record(act, actor=by, target=target, network=network, address=address, reason=reason, level=level)
