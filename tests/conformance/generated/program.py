"""Use the generated client against a running installation; prints what it saw as JSON. FALDECK_URL and FALDECK_TOKEN are set."""

from __future__ import annotations

import json
import os
from typing import Any

import httpx
from faldeck_client import AuthenticatedClient
from faldeck_client.api.endpoints import endpoints_validate
from faldeck_client.api.me import me_read
from faldeck_client.api.requests import (
    requests_cancel,
    requests_create,
    requests_list,
    requests_read,
    requests_read_output,
    requests_read_run,
)
from faldeck_client.models import FieldProblems, InputIn, NewRequest, Problem, RequestDetail

client = AuthenticatedClient(
    base_url=os.environ["FALDECK_URL"], token=os.environ["FALDECK_TOKEN"],
    raise_on_unexpected_status=True, timeout=httpx.Timeout(120),
)  # fmt: skip


def submit(endpoint_id: str, wait: float, **input: Any) -> Any:
    body = NewRequest.from_dict(
        {"endpoint_id": endpoint_id, "input": input, "allow_duplicate": True}
    )
    return requests_create.sync(client=client, body=body, wait=wait)


seen: dict[str, Any] = {}
me = me_read.sync(client=client)
seen["me"] = [me.person, me.role, me.token_scope]

done = submit("sandbox/echo", 60, message="hello", number=21)
assert isinstance(done, RequestDetail), done
seen["submitted"] = [done.status, done.output["doubled"], str(done.ended_at is not None)]

open_one = submit("sandbox/patient", 0, seconds=300)
asked = requests_cancel.sync(id=str(open_one.id), client=client)
seen["cancel"] = asked.answer
ended = requests_read.sync(id=str(open_one.id), client=client, wait=60)
seen["cancelled"] = ended.status

page = requests_list.sync(client=client, status=["completed"], limit=10)
seen["listed"] = [str(row.id) == str(done.id) for row in page.items]
first = requests_list.sync_detailed(client=client, limit=1)
seen["headers"] = sorted(name for name in first.headers if name.startswith("ratelimit"))
rest = requests_list.sync(client=client, limit=1, cursor=str(first.parsed.next_cursor))
seen["pages"] = len({str(row.id) for row in [*first.parsed.items, *rest.items]})

read = requests_read.sync(id=str(done.id), client=client)
seen["read"] = [read.input_["number"], read.observations[-1].status]
output = requests_read_output.sync(id=str(done.id), client=client)
seen["output"] = json.loads(output.payload.read())["doubled"]
seen["run"] = requests_read_run.sync(id=str(done.id), client=client).payload.read(2).decode()

checked = endpoints_validate.sync(
    "sandbox/echo", client=client, body=InputIn.from_dict({"input": {"number": "x"}})
)
seen["checked"] = [checked.valid, checked.errors[0].path]

lost = requests_read.sync(id="00000000-0000-4000-8000-000000000000", client=client)
seen["lost"] = [type(lost) is Problem, lost.detail]
refused = submit("no endpoint", 0)
seen["refused"] = [type(refused) is FieldProblems, refused.detail[0].loc]
print(json.dumps(seen))
