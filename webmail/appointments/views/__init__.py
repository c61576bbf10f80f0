"""Views of appointments: importing these modules registers their routes."""

from webmail.appointments.blueprint import blueprint
from webmail.appointments.views import booking, lists, mine, public

NEED_NO_TOKEN = (public.book, booking.change_booking)  # for people without an account: a token takes a cookie

__all__ = ["NEED_NO_TOKEN", "blueprint", "booking", "lists", "mine", "public"]
