"""Forwarding: fal's deliveries and our own events, sent on to a team's own programs.

::

    sealed.py         a destination's address and secrets, as they are stored
    signing.py        the headers by which the receiver knows that a message is ours
    keeping.py        add, change, rotate, switch, test and remove destinations
    making.py         what happened -> messages: deliveries with their own transaction, ends found in the database
    outbox.py         what is due is leased, and what came of an attempt is kept
    sending.py        one attempt

A message is sent at least once, and in no promised order: the receiver knows one that comes again by its
`webhook-id`. Nothing depends on a moment: a worker that dies leaves its messages, whose leases end, to another.
"""
