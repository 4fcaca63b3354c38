"""The first part of the API's page: how to begin, with snippets that run as they stand (a test runs them)."""

from __future__ import annotations

PYTHON = """\
import faldeck  # pip install from /client/, see the README; FALDECK_URL and FALDECK_TOKEN are set

output = faldeck.subscribe("sandbox/echo", {"message": "hello", "number": 21})
print(output["doubled"])

with faldeck.realtime("sandbox/echo") as session:
    session.send({"number": 4})
    print(session.recv()["doubled"])
"""

SHELL = """\
curl -sS --fail-with-body -H "Authorization: Bearer $FALDECK_TOKEN" -H "Content-Type: application/json" \\
  "$FALDECK_URL/api/v1/requests/?wait=60" \\
  -d '{"endpoint_id": "sandbox/echo", "input": {"message": "from a shell"}, "allow_duplicate": true}'
"""

JAVASCRIPT = """\
const reply = await fetch(`${url}/api/v1/requests/?wait=60`, {
  method: "POST",
  headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
  body: JSON.stringify({ endpoint_id: "sandbox/echo", input: { number: 21 }, allow_duplicate: true }),
});
console.log((await reply.json()).output.doubled);

// A session: fal's messages as they are, behind a first one that names it.
const address = `${url.replace("http", "ws")}/api/v1/realtime/sandbox/echo`;
const socket = new WebSocket(address, ["faldeck", token]);
"""

CLIENTS = """\
openapi-python-client generate --url "$FALDECK_URL/api/v1/openapi.json" --config client.yaml
npx openapi-typescript "$FALDECK_URL/api/v1/openapi.json" --output faldeck.d.ts
"""

DESCRIPTION = f"""\
[Back to the requests](/requests/)

Submit requests to fal, read them, follow them live and cancel them. Every call needs a token for one team (made under
Settings, or by `manage.py create_token`), sent as `Authorization: Bearer fdk_…`. Its scope says what it may do: `read`
looks, `submit` also acts on requests, batches, bulk actions and uploads, `manage` also changes presets, endpoint
documents and (owners and admins) notices and forwarding. `RateLimit-Limit`, `-Remaining` and `-Reset` say how many calls are left; one
too many is answered 429 with `Retry-After`. `?wait=60` or `Prefer: wait=60` holds the reply until the request has ended.

The snippets call a model of the sandbox; with a key of fal's put an endpoint of fal's in its place.

**Python**, with the package that this site serves (`/client/`):

```python
{PYTHON}```

**Shell**:

```sh
{SHELL}```

**JavaScript**:

```js
{JAVASCRIPT}```

**Generated clients** come from `/api/v1/openapi.json`, which is also the file `docs/openapi.json` of the source; both of these
are tried against every change:

```sh
{CLIENTS}```

`client.yaml` tells the first one how to read zips: `content_type_overrides` with `application/zip: application/octet-stream`.

Realtime sessions are a WebSocket at `/api/v1/realtime/ENDPOINT` with the same token, as a header or as a subprotocol; the
query takes `path`, `max_buffering`, `auth` and `options` (JSON, as in a submit). AI clients find the same at `/mcp`.
Programs that use fal's own clients need no code of ours: see “Record my code” in your menu.
"""
