"""Bulk actions: cancel, run again or give up many requests, with an outcome for each.

::

    qualify.py   which requests an action is for, and why the others are left out
    making.py    store a confirmed action with its requests
    control.py   a user's actions on it: pause, resume, stop, retry what failed
    working.py   the worker's turns: a few requests, each with its outcome
"""
