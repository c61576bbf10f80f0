"""Answers to invitations at Graph: a guest accepts, may come, or declines, and Graph tells the organiser."""

from __future__ import annotations

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.dav.remote.graph.graph_client import GraphClient

ACTIONS = {"accept": "accept", "maybe": "tentativelyAccept", "decline": "decline"}
LONGEST_COMMENT = 2_000  # characters


def send(client: GraphClient, name: str, action: str, comment: str) -> None:
    """Answer the event of this name (as in addresses); `action`: of `ACTIONS`. One request, which the organiser hears of.

    Raises FollowTroubleError: GONE where the event is no longer there, REFUSED where it asks for no answer.
    """
    body = {"comment": comment[:LONGEST_COMMENT], "sendResponse": True}
    answer = client.request("POST", f"/me/events/{name}/{ACTIONS[action]}", body, refused=(400, 404, 409))
    if answer.status == 404:
        raise FollowTroubleError(FollowFault.GONE, name)
    if answer.status >= 400:
        raise FollowTroubleError(FollowFault.REFUSED, f"{name}: {answer.code}")
