"""As long as the process: one thread with one event loop and fal's client.

`loop` owns the thread; `steps.advance` takes one request's next step (send, cancel, look, fetch),
`sweep.sweep` finds every row whose step is due; `direct_calls` holds run and stream calls, `status_stream` the
status stream of a request somebody looks at.
"""
