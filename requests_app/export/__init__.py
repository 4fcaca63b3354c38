"""What is downloaded: requests as CSV, JSON Lines and a zip, in pieces of bounded size.

::

    csv_text.py      a line of CSV that no spreadsheet runs
    outputs.py       a request's output: as JSON, its media, its bytes
    inline_files.py  files that stand in an output itself, for a zip
    archive.py       a zip of tables and outputs
    streaming.py     pieces as a reply
    client_wheel.py  the package `faldeck`
    filtered.py      the requests that match a search
    jobs.py          exports in the background: asked for, stopped, removed
    job_files.py     their files
    background.py    a file in the making, for the worker
"""
