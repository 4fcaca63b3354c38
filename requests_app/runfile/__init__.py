"""One run as a file: a zip with all that is kept of a request, which any browser shows without Faldeck.

The format is in docs/run-file.md.

::

    layout.py     names and version of the format
    stripping.py  secrets out of everything that is written
    facts.py      what run.json says of the request
    tables.py     history, webhook deliveries, frames and logs, line by line
    schema.py     the endpoint's document that it was made with
    media.py      files that input and output name, fetched or with the reason why not
    viewer.py     index.html
    writing.py    the zip, in pieces of bounded size
    zip_reading.py  the files of a zip from elsewhere, within bounds
    shapes.py     how run.json and the tables of such a zip have to look
    kept_media.py  media of such a zip as copies of the team
    reading.py    what such a zip says, checked; lifecycle/importing.py makes a request of it
"""
