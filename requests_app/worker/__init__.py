"""The background worker: one event loop in a thread, with a database pool and connections to fal.

loop.py             the thread and its event loop; the pool and the connections it uses
sweep.py            finds every row whose step is due; clock.py runs it when Celery beat is silent
steps.py            takes a row's next step: submit, search, poll
polls.py            one poll: cancel, status, result; looks.py leases its row and gives it back
shares.py           each team's share of the polls
observing.py        reports of all steps go to the database in groups
submits.py          the POST of a queued request; submit_limit.py limits how many run at once
direct_calls.py     runs and streams, from the first byte to the last
leases.py           renews leases while calls last
group_calls.py       database calls of many steps in one transaction
breaker.py          notices an outage of fal's queue; probe.py probes it
status_stream.py    status streams of watched requests
lost_submits.py     searches fal's list for submits without a clear answer
failed_looks.py     polls that failed although fal is up
process.py          start and stop of a worker process
"""
