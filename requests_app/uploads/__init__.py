"""Files of requests: they go from the browser straight to fal's storage; the key stays on the server."""
