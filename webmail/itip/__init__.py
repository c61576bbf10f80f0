"""iTIP (RFC 5546): what meetings mean. Pure functions: (what is in my calendar, a message, who I am) -> (what is to be in my
calendar, the messages that leave, facts for a card). No Flask, no database, no words for people; texts as calendars store them.

What comes in (`incoming.read` takes a calendar part apart; nothing here ever raises for what a stranger sent):
- `receiving.receive(there, incoming, me)` -> `Outcome`: any method, for guests and organisers alike; `there`: the text in my
  calendar, "" for none. Its work is done by `attendee` (REQUEST, PUBLISH, ADD, CANCEL, DECLINECOUNTER) and `organiser` (REPLY,
  COUNTER, REFRESH).
- `permission.permission(there, incoming, sender, me)`: whether who really wrote may do that.
- `differences.differences(before, after)`: what it changes, old and new, for people.

What leaves (`ItipMessage` in `messages`: method, from, to, text; `digest` names what was sent, so that nothing is sent twice):
- `answers.answered(there, at, me, answer)`: I accept, maybe or decline, the whole or one of a series; `answers.proposed`: another
  time (COUNTER).
- `distribution.distributed(before, after, me, moment)`: I organise, and my event was made, changed or deleted: the text to store
  (SEQUENCE, answers that count no more) and who gets REQUEST or CANCEL. `before` "": it is new; `after` "": it is deleted. What
  is over is never sent; nor to guests whose SCHEDULE-AGENT is CLIENT, NONE or unknown.
- `proposals.taken` and `proposals.declined`: a guest's other time.

Mail that carries it (RFC 6047) is `Draft.calendar`; `webmail/calendar/meeting_mail.py` puts messages into the outbox, in the
transaction that writes the event.

Addresses of me and others are compared by `people.keys(addresses)`; `people.guests(event)` are those invited, with their answers;
`guest_list.hide(text)`: a list that guests do not see.
"""
