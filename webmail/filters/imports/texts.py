"""Import texts: why a rule stays where it was, and what another one does otherwise here."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.filters.imports.found import Difference, NotReadableError, WhyLeftOut


def reason_words(reason: WhyLeftOut) -> str:
    return {
        WhyLeftOut.CONDITION: _("It has a condition that filters here don’t support."),
        WhyLeftOut.ACTION: _("It does something that filters here can’t do."),
        WhyLeftOut.NESTED: _("It mixes “all of” and “any of”. Make two filters of it."),
        WhyLeftOut.NEVER: _("It never applies."),
        WhyLeftOut.NOTHING: _("It does nothing."),
        WhyLeftOut.VARIABLES: _("It composes its text as each message arrives."),
        WhyLeftOut.LIMIT: _("It is too long."),
        WhyLeftOut.FORWARDING: _("It forwards all your mail. Set that up under Forwarding."),
        WhyLeftOut.BLOCKED: _("It blocks senders. Block them under Senders."),
        WhyLeftOut.SECOND: _("It replies to all your mail, like the out-of-office reply above. Only one of them can be kept."),
        WhyLeftOut.SAFE: _("It always allows senders. Allow them under Senders."),
    }[reason]


def difference_words(difference: Difference) -> str:
    return {
        Difference.CASE: _("Here capital and small letters are treated as the same."),
        Difference.NAMES: _("Here people’s names are checked too, not only their addresses."),
        Difference.RESENT: _("Here addresses that a message was resent to are checked too."),
        Difference.TRASH: _("There the message was destroyed; here it goes to Trash."),
        Difference.COPY_STAYS: _("There only the other address got the message; here you keep a copy."),
        Difference.FLAGS_FIRST: _("Here tags and flags also go with the message that is moved or copied."),
        Difference.FLAGS_STAY: _("There the tags and flags set by earlier filters were removed; here they stay."),
        Difference.ONCE_A_DAY: _("Here the same person gets this reply once a day at most."),
        Difference.STOPS: _("Here no further filter runs after the reply."),
        Difference.FROM: _("Here the reply comes from your own address."),
        Difference.WORDS: _("There it searched for whole words; here for this text, also inside words."),
        Difference.LABEL: _("The label becomes a tag."),
        Difference.EVERYWHERE: _("There it ran only by hand; here filters run as mail arrives, so it is turned off."),
        Difference.LOCAL: _("There the folder was on your computer."),
        Difference.DAYS: _("Here the same person gets this reply every 1, 7 or 30 days. Choose before you turn it on."),
        Difference.ADDRESSES: _("Here messages to any of your addresses get a reply."),
        Difference.LEFT_ACTION: _("Not imported:"),
    }[difference]


def unreadable_words(error: NotReadableError) -> str:
    if str(error) == "too large":
        return _("This file is too large.")
    if str(error) == "empty":
        return _("Choose a file or a script first.")
    if error.line:
        return _("This file can’t be read as filters: line %(line)d is not understood. Nothing was changed.", line=error.line)
    return _("No filters were found in this file. Nothing was changed.")
