"""Arrivals: what the worker does with mail before anybody opens it. It notes replies to invitations, and takes in invitations.

Dovecot tells which mailbox something came into (`searched_mailboxes.py`), the worker reads what is new there
(`arrival_rounds.py`), and looks each hour for what it was not told of (`missed_mail.py`).
"""
