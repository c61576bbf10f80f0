"""Session of the door: one connection of Postfix, by the milter protocol. Its own faults let no message in: "try again"."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from typing import IO, Any

import Milter

from deploy.milter import checks, forwards, refusals, signatures, verdict
from deploy.milter.forwards import ForwardingPolicy
from deploy.milter.headers import LARGEST_HEADER, MOST_FIELDS, Fields
from deploy.milter.live import LiveRules
from deploy.milter.owners import NotReadableError, OwnersAwayError
from deploy.milter.reach import Reach
from deploy.milter.results import NAME, header, ours

_SLACK = 64 * 1024  # bytes: of the header, which counts too, and of other line ends
_IN_MEMORY = 256 * 1024  # bytes of a body; more is in a temporary file
log = logging.getLogger("milter")


@Milter.header_leading_space  # white space before a header's value as it is: some signatures cover it
class Session(Milter.Base):
    """Created by libmilter for each connection; its callbacks are called in the order of SMTP."""

    live: LiveRules

    def __init__(self) -> None:
        self._rules = self.live.now()
        self.settings = self._rules.settings
        self._address = self._helo = ""
        self._since = int(time.time())
        self._begin("", "")

    def _begin(self, sender: str, login: str) -> None:
        self._sender, self._login = sender, login
        self._fields: Fields = []
        self._recipients: list[str] = []
        self._header_size = 0
        self._body: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed at the message's end
        self._wanted = False  # whether the body is read
        self._most = 0  # bytes that a message of who is signed in may have; 0: Postfix alone says
        self._answers = False  # whether it is an automatic answer
        self._reach: Reach | None = None  # once somebody is written to
        self._size = 0  # of the body, as far as it was read
        self._refused_for: list[str] = []  # domains of recipients whose establishment refuses the sender, while others do not

    # --- callbacks ---------------------------------------------------------------------------------------------------

    def connect(self, hostname: str, family: int, hostaddr: Any) -> Any:
        self._address = hostaddr[0] if isinstance(hostaddr, tuple) else ""
        return Milter.CONTINUE

    def hello(self, hostname: str) -> Any:
        self._helo = hostname
        return Milter.CONTINUE

    def envfrom(self, sender: str, *options: str) -> Any:
        self._begin(sender.strip("<>"), (self.getsymval("{auth_authen}") or "").lower())
        if self._login and self._has_ended():
            log.info("ended the connection of %s: a password of theirs is good no more", self._login)
            return self._reply("421", "4.7.0", "The password may have changed since you signed in. Sign in again.")
        return Milter.CONTINUE

    def _has_ended(self) -> bool:
        """Whether a credential of who is signed in ended since this connection began. Which one it was is not known here.

        Where the accounts can't be asked, that is said once the message is there.
        """
        try:
            return self._rules.owners.ended(self._login) >= self._since
        except OwnersAwayError as error:
            log.warning("%s", error)
            return False

    def envrcpt(self, recipient: str, *options: str) -> Any:
        address = recipient.removeprefix("<").removesuffix(">")
        if (self._login or not self.settings.trusts(self._address)) and (refused := self._out_of_reach(address)):
            return refused
        self._recipients.append(address)
        return Milter.CONTINUE

    def _out_of_reach(self, address: str) -> Any:
        """The reply to a recipient that may not be written to, None if they may."""
        try:
            refused = self._reach_of(self._login).refusal(self.getsymval("{rcpt_addr}") or address)
        except OwnersAwayError as error:
            log.error("%s", error)
            return self._reply("451", "4.3.0", "The accounts can't be asked now who may write to whom. Try again.")
        if refused:
            log.info("refused 550 from %s to %s: %s", self._login or self._address, address, refused)
        return self._reply("550", "5.7.1", refused) if refused else None

    def _reach_of(self, who: str) -> Reach:
        if self._reach is None:
            self._reach = Reach(self._rules.owners, self.settings, who)
        return self._reach

    @Milter.decode("bytes")
    def header(self, name: str, value: bytes | str) -> Any:
        raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        self._header_size += len(name) + len(raw) + 3
        if len(self._fields) < MOST_FIELDS and self._header_size <= LARGEST_HEADER:
            self._fields.append((name, raw.decode("utf-8", "surrogateescape")))
        return Milter.CONTINUE

    def eoh(self) -> Any:
        names = {name.strip().lower() for name, _value in self._fields}
        self._wanted = "resent-from" in names if self._login else "dkim-signature" in names
        self._most = int(self._said().get("message_bytes") or 0) if self._login else 0
        return Milter.CONTINUE

    def body(self, chunk: bytes) -> Any:
        self._size += len(chunk)
        if self._wanted and self._body.tell() <= signatures.LARGEST:
            self._body.write(chunk)
            return Milter.CONTINUE
        if self._most:
            return Milter.CONTINUE  # it is counted
        return Milter.SKIP if self._protocol & Milter.P_SKIP else Milter.CONTINUE

    def eom(self) -> Any:
        try:
            return self._decide()
        except OwnersAwayError as error:
            log.error("%s", error)
            return self._reply("451", "4.3.0", "The accounts can't be asked now who may write as whom. Try again.")
        except Exception:
            log.exception("A message of %r from %s", self._sender, self._address)
            return self._reply("451", "4.3.0", "This message can't be checked now. Try again.")
        finally:
            self._body.close()

    def abort(self) -> Any:
        self._body.close()
        return Milter.CONTINUE

    def close(self) -> Any:
        self._body.close()
        return Milter.CONTINUE

    # --- the message -------------------------------------------------------------------------------------------------

    def _decide(self) -> Any:
        if len(self._fields) >= MOST_FIELDS or self._header_size > LARGEST_HEADER:
            return self._reply("550", "5.6.0", "The message is refused: its header is too large.")
        if self._most and self._size > self._most + _SLACK:
            return self._reply("552", "5.3.4", f"The message is too large: your account sends up to {self._most // 1024**2} MB.")
        found = self._submitted() if self._login else self._arrived()
        who = self._login or self._address
        if not found.taken:
            log.info("refused %s from %s, sender %r: %s", found.code, who, self._sender, found.text)
            return self._reply(found.code, found.enhanced, found.text)
        for number in ours(self._fields, self.settings.authserv_id):
            self.chgheader(NAME, number, None)
        for number in range(len([name for name, _value in self._fields if name.lower() == refusals.HEADER.lower()]), 0, -1):
            self.chgheader(refusals.HEADER, number, None)  # ours alone counts
        if self._refused_for:
            self.addheader(refusals.HEADER, refusals.header_value(self._refused_for), 0)
        self.addheader(NAME, " " + header(self.settings.authserv_id, found.results), 0)
        if found.sender:
            self.addheader("Sender", " " + found.sender)
        if self._answers:
            self.chgfrom("<>")  # nobody is told of an answer that can't be delivered (RFC 3834, section 3.3)
        return Milter.CONTINUE

    def _owned_by(self, who: str) -> verdict.Owns:
        known: dict[str, bool] = {}

        def owns(address: str) -> bool:
            key = address.lower()
            if key not in known:
                known[key] = who in self._rules.owners.of(key)
            return known[key]

        return owns

    def _submitted(self) -> verdict.Verdict:
        owns = self._owned_by(self._login)

        def proven() -> bool:
            return self._rules.proven(self._head() + self._whole_body())

        return verdict.submission(
            self._fields, self._login, self._sender, owns, self.settings.domains, proven, self._is_on_behalf
        )

    def _is_on_behalf(self, address: str) -> bool:
        """Whether they write from there for its owner, whose mailbox they look after."""
        try:
            return address.lower() in self._rules.owners.handed_over(self._login)
        except NotReadableError as error:
            log.warning("%s", error)
            return False

    def _arrived(self) -> verdict.Verdict:
        trusted = self.settings.trusts(self._address)
        if trusted and (refused := self._sent_on() or self._automatic()):
            return verdict.Verdict(code="550", text=refused)
        if not trusted and self._is_refused():
            return verdict.Verdict(code="550", text="The message is refused: mail from this sender is not taken here.")
        arrival = checks.Arrival(self._address, self._helo, self._sender) if self._address and not trusted else None

        def check(author: str) -> verdict.Checked:
            return checks.check(arrival, self._head(), self._whole_body, author)

        return verdict.outside(self._fields, self.settings.domains, check, trusted=trusted)

    def _sent_on(self) -> str:
        """Why what somebody's script sends on may not go there, "" if it may, or is no such mail: by what is said of them, else
        of all, and to nobody whom they may not write to themselves."""
        who = forwards.forwarder(self._fields)
        if who is None:
            return ""
        said, policy = self._said(who), self.settings.forwarding
        if mode := said.get("forwarding"):
            policy = ForwardingPolicy(mode, frozenset(said.get("forwarding_domains") or ()), policy.ours)
        refused = forwards.refusal(self._fields, self._recipients, policy, self._sender)
        return refused or self._beyond_reach(who)

    def _beyond_reach(self, who: str) -> str:
        """Why what somebody's script sends may not go to all of its recipients, "" if it may."""
        reach = self._reach_of(who) if who else None
        return next((words for one in self._recipients if reach and (words := reach.refusal(one))), "")

    def _said(self, who: str = "") -> dict[str, Any]:
        """What is said of somebody, by their groups or of themselves (webmail/people/policies.py)."""
        text = self._reach_of(who or self._login).policy
        return dict(json.loads(text)) if text else {}

    def _is_refused(self) -> bool:
        """Whether an administrator refuses the sender for all recipients. Where some take it, the others have it in junk."""
        senders = refusals.senders_of(self._fields, self._sender)
        try:
            self._refused_for = refusals.refused_for(senders, self._recipients, self._rules.owners.refused)
        except NotReadableError as error:
            log.warning("%s", error)  # a table that came later than this server: nobody is refused
            return False
        domains = {refusals.domain_of_recipient(one) for one in self._recipients}
        return bool(domains) and domains <= set(self._refused_for)

    def _automatic(self) -> str:
        """Why an answer or a notification of somebody's script is refused, "" for all else. Whose answer it is Dovecot tells only
        if it was configured to; until then it goes as before, and `flask doctor` says so.
        """
        answerer = forwards.answerer(self._fields, self._sender)
        who = answerer if answerer is not None else forwards.notifier(self._fields)
        self._answers = bool(answerer)
        if answerer == "" or (answerer is None and who and self._sender.lower().startswith("postmaster@")):
            log.warning("an automatic message does not say whose it is: write Dovecot's configuration again (deploy/dovecot)")
            return ""
        if not who:
            return ""
        return verdict.automatic(self._fields, who, self._owned_by(who), self.settings.domains) or self._beyond_reach(who)

    def _head(self) -> bytes:
        """The header as it was sent, with the empty line."""
        text = "".join(f"{name}:{value}\n" for name, value in self._fields)
        return text.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n"

    def _whole_body(self) -> bytes:
        """Empty if nothing needs it."""
        self._body.seek(0)
        return self._body.read()

    def _reply(self, code: str, enhanced: str, text: str) -> Any:
        plain = "".join(c if " " <= c <= "~" and c != "%" else "?" for c in text)[:400]
        self.setreply(code, enhanced, plain)
        return Milter.REJECT if code.startswith("5") else Milter.TEMPFAIL
