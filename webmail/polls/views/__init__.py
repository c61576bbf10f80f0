"""Views of polls: importing these modules registers their routes."""

from webmail.polls.blueprint import blueprint
from webmail.polls.views import form, mine, public

NEED_NO_TOKEN = (public.act,)  # for people without an account: a token takes a cookie

__all__ = ["NEED_NO_TOKEN", "blueprint", "form", "mine", "public"]
