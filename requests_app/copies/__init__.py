"""Own copies of the media in outputs, for a team that wants them: fal may delete its files, and then these are left.

::

    fetching.py   the one guarded fetch from a media host; thumbnails use it too
    rules.py      what a team keeps, and how much of its quota is used
    noticing.py   which outputs are still to be searched for media
    states.py     what becomes of each copy, and the one writer of it
    files.py      files of a team: found again by content, counted, given up
    local.py, s3.py, store.py   where the bytes are
    address.py    where a page loads a medium from, and until when fal has it
    sending.py    a kept file, or a range of it, as a reply

The worker does the work in `worker/copies.py`.
"""
