"""Limits of people without an account: how much they hold, and how many messages leave for them.

A school's evening comes from one network within minutes, so a network may do much: what it holds is given back to it when it is
confirmed. Who gives addresses that are not theirs is bounded by these, by the offer, and by ten minutes; whoever makes offers
so that strangers are written to, by all of theirs together.
"""

from __future__ import annotations

from webmail.rate_limits import DAY, HOUR, QUARTER, RateLimit

UNKNOWN = RateLimit("links to appointments that lead nowhere", 60, QUARTER)  # from one network
HELD = RateLimit("unconfirmed appointments of a network", 600, HOUR)
CHANGES = RateLimit("changes of one appointment", 40, HOUR)
MAIL_TO_ADDRESS = RateLimit("messages about appointments to an address", 12, HOUR)  # that nobody has confirmed
MAIL_OF_OFFER = RateLimit("messages of an offer of appointments", 5_000, DAY)
UNCONFIRMED_OF_OWNER = RateLimit("unconfirmed appointments with what one person offers", 2_000, DAY)  # so many strangers get mail
ASKED_COLLEAGUES = RateLimit("colleagues asked to offer appointments", 200, DAY)  # by one person
EARLIER = RateLimit("earlier times told to who has an appointment", 6, DAY)
HELD_AT_ONCE = 4  # unconfirmed ones of one address in one offer
