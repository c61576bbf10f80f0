"""Texts about servers that are followed, subscribed calendars and accounts alike: why one can't be read now."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.collections.following.faults import FollowFault


def not_now_words(kind: str, host: str) -> str:
    """Of what was followed until now. `kind`: a FollowFault."""
    match kind:
        case FollowFault.BUSY:
            return _("%(host)s asks us to wait. We will try again later.", host=host)
        case FollowFault.BROKEN:
            return _("%(host)s could not answer because of a problem on its side. We will try again later.", host=host)
        case FollowFault.FORBIDDEN_PLACE:
            return _("%(host)s is not on the internet. Only your administrator can allow it.", host=host)
        case FollowFault.OURS:
            return _("Something went wrong here. We will try again later. Tell your administrator if this continues.")
    return _("%(host)s is not responding. We will try again later.", host=host)


def not_found_words(kind: str, host: str) -> str:
    """Of an address that somebody has just typed; "" where there is more to say of it."""
    match kind:
        case FollowFault.BUSY:
            return _("%(host)s asks us to wait. Try again later.", host=host)
        case FollowFault.BROKEN | FollowFault.CUT:
            return _("%(host)s could not answer because of a problem on its side. Try again later.", host=host)
        case FollowFault.AWAY:
            return _("%(host)s is not responding. Check the address, or try again later.", host=host)
    return ""
