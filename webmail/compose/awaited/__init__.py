"""Awaited replies: sent messages of which somebody is reminded if nobody answers.

The table (`awaited_replies.py`), the days offered (`answer_days.py`), what arrives beside it (`incoming_answers.py`), and the
keyword on the copy in Sent, by which lists show it (`awaited_marks.py`). The worker looks in `webmail/message/arrivals/`.
"""
