"""Trust: the nouns for what is thought of a sender: a place, a proof, warnings, and the verdict that they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from webmail.mime.headers.authentication import Authentication, Verdict


class SenderPlace(StrEnum):
    OWN = "own"  # the user's own address, in Sent or Drafts
    INSIDE = "inside"
    OUTSIDE = "outside"
    NOWHERE = "nowhere"  # no address at all


class TrustLevel(IntEnum):
    CALM = 0
    CAUTION = 1
    DANGER = 2


class WarningKind(StrEnum):
    """The kinds of warnings. Their texts are in `views/sender.py`."""

    FAILED = "failed"  # authentication (SPF, DKIM, DMARC) failed
    UNPROVEN = "unproven"  # an address of ours that our mail server could not confirm
    BORROWED = "borrowed"  # sent from an account that does not own the address
    REDIRECTED = "redirected"  # passed on by somebody who says so, under the name of a colleague
    NO_SENDER = "no-sender"
    SEVERAL = "several"  # more than one sender
    SENT_FOR = "sent-for"  # Sender names somebody else
    COLLEAGUE = "colleague"  # a colleague's name with another address
    ESTABLISHMENT = "establishment"  # its name or domain with an address that is not its own
    ROLE = "role"  # a function's name with an address of ours that is not its own
    KNOWN_NAME = "known-name"  # the name of a contact or correspondent with another address
    ALIKE = "alike"  # an address that looks like a contact's
    ADDRESS_IN_NAME = "address-in-name"
    BEHALF = "behalf"  # the name says that somebody else is meant
    LETTERS = "letters"  # a word of the name mixes alphabets
    LOOKALIKE = "lookalike"
    SCRIPTS = "scripts"
    REPLY = "reply"  # replies go to another domain
    LINK = "link"  # the link text shows another site than the link's target
    DISGUISED = "disguised"
    PROGRAM = "program"
    SHORTCUT = "shortcut"
    DISK = "disk"
    PACKED = "packed"
    MACROS = "macros"
    LOCKED = "locked"
    PAGE = "page"
    CREDENTIALS = "credentials"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class SenderWarning:
    """A warning. `seen` is what the message claims, `real` what it should be compared with."""

    kind: WarningKind
    level: TrustLevel
    seen: str = ""
    real: str = ""


class SenderVerdict(StrEnum):
    """What the page says of a sender, in one word: `data-verdict` in its HTML."""

    PROVEN = "proven"
    UNVERIFIED = "unverified"
    CAUTION = "caution"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Trust:
    email: str  # of the first sender; a deceptive domain is in Punycode
    place: SenderPlace
    contact: str = ""  # `uid` of the contact with this address
    written: bool = False  # the user has written to this address; not looked up for contacts
    authentication: Authentication = field(default_factory=Authentication)
    warnings: tuple[SenderWarning, ...] = ()
    is_shown_otherwise: bool = False  # `email` is not as the message writes it
    marked: bool = False  # Traboule's own outbox sent it: `mime/headers/proof.py`
    sent_by: str = ""  # the colleague who was proven to write for the sender, by a handover of the mailbox
    name: str = ""  # of the first sender, as it is shown: a colleague's is that of the account
    over_tls: bool | None = None  # whether it was encrypted on its last way to us; None where our server does not prove it

    @property
    def level(self) -> TrustLevel:
        return max((warning.level for warning in self.warnings), default=TrustLevel.CALM)

    @property
    def is_dangerous(self) -> bool:
        return self.level is TrustLevel.DANGER

    @property
    def is_addable(self) -> bool:
        """Whether to offer adding the sender to the contacts: not the user, not a contact yet, and no DANGER warning."""
        known = self.place in (SenderPlace.OWN, SenderPlace.NOWHERE) or self.contact
        return not known and not self.is_dangerous

    @property
    def genuine(self) -> bool:
        """Whether the sender is proven: nothing else earns a tick."""
        return self.authentication.verdict is Verdict.GENUINE

    @property
    def is_proven_colleague(self) -> bool:
        """Whether the page shows a tick: of a stranger it says no more than that the address is theirs, which helps nobody."""
        return self.verdict is SenderVerdict.PROVEN and self.place is SenderPlace.INSIDE

    @property
    def verdict(self) -> SenderVerdict:
        if self.warnings:
            return SenderVerdict.DANGER if self.is_dangerous else SenderVerdict.CAUTION
        return SenderVerdict.PROVEN if self.genuine else SenderVerdict.UNVERIFIED
