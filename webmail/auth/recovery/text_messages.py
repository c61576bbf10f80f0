"""Text messages to people: how many may be sent in a day, since each costs money, and how many at once. No Flask here."""

from __future__ import annotations

import logging
import queue
import threading

from webmail import audit, rate_limits
from webmail.auth.recovery import phone_numbers
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AuditAct, User
from webmail.rate_limits import DAY, RateLimit
from webmail.system_mail import sms

log = logging.getLogger(__name__)

LONGEST = sms.LONGEST
_AT_ONCE = 4  # a gateway that does not answer holds up no more threads than these
_SOON = _AT_ONCE - 1  # of them are ours: one is left for who waits on a page
_MOST_WAITING = 50  # text messages; with a gateway that hangs they take some minutes
_PATIENCE = 8.0  # seconds to wait for a turn
_slots = threading.BoundedSemaphore(_AT_ONCE)
_waiting: queue.Queue[tuple[str, str, Settings]] = queue.Queue(_MOST_WAITING)
_lock = threading.Lock()
_workers: list[threading.Thread] = []


def may_send(
    to: User, number: str, settings: Settings, *, network: str = "", by_person: bool = False, stranger: bool = False
) -> bool:
    """Count a text message that is about to be sent; False where all of the day were. In the caller's transaction, if any.

    `by_person`: they asked for it themselves, signed in. `stranger`: asked for in a browser that the person has not used before:
    a quarter of the day's is kept from those, who may ask in anybody's name.
    """
    if settings.sms is None or not number:
        return False
    with db.atomic():
        most = settings.sms.per_day - (settings.sms.per_day // 4 if stranger else 0)
        if not rate_limits.may(settings, RateLimit("text messages", most, DAY).by()):
            return False
        actor = to if by_person else None
        audit.record(AuditAct.CODE_TEXTED, actor=actor, target=to.address, network=network, phone=phone_numbers.masked(number))
    return True


def send(number: str, text: str, settings: Settings) -> None:
    """Send one that `may_send` has counted. Outside of transactions: it takes up to twice sms.SECONDS. Raises
    sms.NotTextedError."""
    if settings.sms is None:
        raise sms.NotTextedError("there is no gateway any more")
    if not _slots.acquire(timeout=_PATIENCE):
        raise sms.NotTextedError("too many text messages wait for the gateway")
    try:
        sms.send(settings.sms, number, text, settings.instance)
    finally:
        _slots.release()


def send_soon(number: str, text: str, settings: Settings) -> None:
    """As `send`, in a thread of its own: returns at once, and never raises. A slow gateway must not take the threads of pages."""
    try:
        _waiting.put_nowait((number, text, settings))
    except queue.Full:
        log.warning("a text message is not sent: %d wait for the gateway already", _MOST_WAITING)
        return
    with _lock:
        _workers[:] = [one for one in _workers if one.is_alive()]
        if len(_workers) < _SOON:
            _workers.append(threading.Thread(target=_serve, name="text-messages", daemon=True))
            _workers[-1].start()


def _serve() -> None:
    while True:
        try:
            send(*_waiting.get())
        except sms.NotTextedError as error:
            log.warning("a text message is not sent: %s", error)
