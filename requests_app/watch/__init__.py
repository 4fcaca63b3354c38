"""As long as the process: one thread with one event loop and fal's client.

`loop` owns the thread; `step.advance` takes one request's next step (send, cancel, look, fetch),
`sweep.sweep` finds every row whose step is due; `direct` holds run and stream calls, `follow` the
status stream of a request somebody looks at.
"""
