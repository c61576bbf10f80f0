"""A message's row in the outbox, and the worker's turn at it."""

from webmail.compose.outbox import delivery
from webmail.models import Outbox


def row_of(sent):
    return Outbox.get(Outbox.id == sent.id)


def deliver(here, sent):
    return delivery.deliver(sent.id, here.settings, here.account)
