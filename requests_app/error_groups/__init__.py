"""Errors grouped: failures that are alike, with their counts and what the team decided.

::

    linking.py    the key of a failure, and its entry in the journal; for the lifecycle, in its transaction
    counting.py   adds the journal up: new groups, counts, what comes again after it was resolved
    history.py    gives their keys to what failed in an older version
    deciding.py   resolve, ignore, reopen, note why
    shelf.py      the groups of a team, filtered and in an order; their trends
"""
