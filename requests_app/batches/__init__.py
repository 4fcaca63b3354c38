"""Batches: one input over many rows of values.

::

    sheet.py      rows from a CSV, JSON Lines, a grid or an API body. Pure
    checking.py   each row against the endpoint's schema, and how its values are read
    making.py     store a checked batch; nothing is sent yet
    control.py    a user's actions: start, pause, resume, cancel, retry, discard
    feeding.py    the worker's turns: count what ended, make the next requests
    results.py    the rows with their outcomes, as CSV, JSON Lines and a zip
    newest.py     the newest rows that ended
    removing.py   retention: the input and the values of a batch that has ended
"""
