"""Demo delivery: hands mail to Dovecot over LMTP (RFC 2033), stores outside mail as files, and builds bounces."""

from __future__ import annotations

import json
import secrets
import smtplib
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, make_msgid
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """An SMTP reply: its code and text."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        return 200 <= self.code < 300

    @property
    def line(self) -> str:
        return f"{self.code} {self.text}"


def may_receive(lmtp_port: int, sender: str, recipient: str) -> Answer:
    """Dovecot's reply to RCPT, which refuses unknown users and full mailboxes."""
    return _converse(lmtp_port, sender, recipient, None, [])


def deliver(lmtp_port: int, sender: str, recipient: str, content: bytes, options: list[str]) -> Answer:
    """Deliver one message to one recipient. `options` are those of MAIL FROM: BODY=8BITMIME, SMTPUTF8."""
    return _converse(lmtp_port, sender, recipient, content, options)


def _converse(port: int, sender: str, recipient: str, content: bytes | None, options: list[str]) -> Answer:
    """One LMTP session, for one recipient: LMTP replies to DATA once per recipient, which smtplib does not expect."""
    try:
        with closing(smtplib.LMTP("127.0.0.1", port, local_hostname="localhost", timeout=30)) as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            if not (sender + recipient).isascii() and "SMTPUTF8" not in options:
                options = [*options, "SMTPUTF8"]
            steps = [lambda: lmtp.mail(sender, options), lambda: lmtp.rcpt(recipient)]
            if content is not None:
                steps.append(lambda: lmtp.data(content))
            answer = Answer(250, "OK")
            for step in steps:
                code, text = step()
                answer = Answer(code, text.decode(errors="replace").replace("\n", " "))
                if not answer.good:
                    break
            return answer
    except smtplib.SMTPResponseException as error:
        return Answer(error.smtp_code, str(error.smtp_error))
    except (OSError, smtplib.SMTPException) as error:
        return Answer(451, f"4.3.0 Dovecot does not take it now: {error}")


def keep(folder: Path, sender: str, recipient: str, content: bytes) -> Answer:
    """Store mail for the outside world: NAME.eml and, once that is complete, its envelope NAME.json."""
    name = f"{datetime.now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}"
    (folder / f"{name}.eml").write_bytes(content)
    envelope = {"sender": sender, "recipient": recipient, "accepted": datetime.now().astimezone().isoformat()}
    unfinished = folder / f".{name}.json"
    unfinished.write_text(json.dumps(envelope, ensure_ascii=False))
    unfinished.rename(folder / f"{name}.json")
    return Answer(250, f"2.0.0 Kept as {name}.eml")


def bounce(hostname: str, sender: str, refused: dict[str, Answer], content: bytes) -> Message:
    """A bounce (RFC 3464) for the recipients that refused the message after others had accepted it."""
    report = MIMEMultipart("report")
    report.set_param("report-type", "delivery-status")
    report["From"] = f"Mail Delivery System <MAILER-DAEMON@{hostname}>"
    report["To"] = sender
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report["Date"] = formatdate(localtime=True)
    report["Message-ID"] = make_msgid(domain=hostname)
    report["Auto-Submitted"] = "auto-replied"
    lines = "".join(f"<{address}>: {answer.line}\n" for address, answer in refused.items())
    report.attach(MIMEText(f"Your message could not be delivered to:\n\n{lines}", "plain", "utf-8"))
    status = MIMENonMultipart("message", "delivery-status")
    blocks = [_fields({"Reporting-MTA": f"dns; {hostname}"})]
    for address, answer in refused.items():
        enhanced = answer.text.split(" ", 1)[0] if answer.text[:1] in "45" else "5.0.0"
        fields = {"Final-Recipient": f"rfc822; {address}", "Action": "failed", "Status": enhanced}
        blocks.append(_fields({**fields, "Diagnostic-Code": f"smtp; {answer.line}"}))
    status.set_payload(list(blocks))
    report.attach(status)
    report.attach(MIMEText(content.partition(b"\r\n\r\n")[0].decode(errors="replace"), "rfc822-headers", "utf-8"))
    return report


def _fields(values: dict[str, str]) -> Message:
    block = Message()
    for name, value in values.items():
        block[name] = value
    return block
