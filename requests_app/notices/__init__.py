"""Notices of a team: rules on events, and the messages that tell of them.

::

    addresses.py      what a user typed as a channel's address -> what is stored and shown
    hours.py          quiet hours and cooldown: when a message may leave
    finding.py        what of a team's rows a rule is about, asked of the database
    firing.py         events found -> messages; each event once
    words.py          a rule, an event and a message in words
    keeping.py        add, replace, remove channels and rules
    outbox.py         what is due is leased, and what came of a try is kept
    mail.py, webhook.py, chat.py   one try, by SMTP, by HTTP, by apprise
    apprise_child.py  a program of its own: apprise and what it imports stay out of this process
    answers.py        what came of a try

Nothing depends on a message or on the moment: the worker asks the database every few seconds what has
happened. An event's row and its message are one transaction, so that it is told once. A message is sent again
only when it certainly was not delivered, or when the answer was lost: the message then says so.
"""
