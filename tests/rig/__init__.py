"""The promise, shown by real processes: nothing lost, nothing sent twice, every end found.

`python -m tests.rig` (or `make chaos`) starts two web servers, two workers, two clocks, Redis,
PostgreSQL and a fal behind a proxy that misbehaves; clients submit and cancel, pages are open; a
nemesis kills every kind of process at random, and has workers stand still for longer than their
leases last. What was done and seen is a history of JSON lines; afterwards pure checkers judge
history, database and fal's own ledger.

    workload.py   what the clients will ask for, from a seed
    processes.py  programs owned by pid          services.py  PostgreSQL and Redis
    proxy.py      the fault proxy, a program     rig.py       all of them together
    clients.py    who submits, cancels, reads    nemesis.py   who kills and spoils
    pages.py      who has the list open in a browser
    history.py    what happened                  evidence.py  what is left to judge
    checkers.py   the judgement                  plants.py    bugs the checkers must find
    gateway*.py   the same for calls of programs through the gateway
"""
