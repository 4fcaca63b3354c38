"""Calls that Schemathesis makes of docs/openapi.json: no reply is a 5xx, and each one is as the document says."""

from __future__ import annotations

import re
import subprocess
import textwrap
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import tools
from tests.benchmarks.latency import make_member
from tests.ports import free_port
from tests.process.serving import Serving
from tests.sampling import count

EXAMPLES = count(
    "SCHEMATHESIS_EXAMPLES", 10
)  # of each operation, beside those of its limits and types
SEED = 20261130
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "ignored_auth",
    "unsupported_method", "allow_header_conformance", "negative_data_rejection",
]  # fmt: skip

pytestmark = [pytest.mark.conformance, pytest.mark.slow]


def made(client: httpx.Client) -> dict[str, str]:
    """One thing of each room that has an id; they are there before the calls come."""

    def post(path: str, **body: Any) -> dict[str, Any]:
        reply = client.post(path, json=body)
        assert reply.is_success, reply.text
        told: dict[str, Any] = reply.json()
        return told

    echo = {"endpoint_id": "sandbox/echo", "input": {"number": 21}}
    done = post("requests/?wait=60", **echo)
    assert done["status"] == "completed"
    failed = {"endpoint_id": "sandbox/strict", "input": {"prompt": "forbidden"}}
    assert post("requests/?wait=60", **failed)["status"] == "failed"
    text = post("requests/?wait=60", endpoint_id="sandbox/text", input={"words": 3}, mode="stream")
    rows = [{"number": 1}, {"number": 2}]
    template = {"endpoint_id": "sandbox/echo", "input": {"number": "{{number}}"}}
    bulk = {"verb": "star", "q": "", "expected": 100}
    return {
        "requests": done["id"],
        "stream": text["id"],
        "batches": post("batches/", rows=rows, **template)["id"],
        "bulk": post("bulk/", **bulk)["id"],
        "presets": post("presets/", name="numbers", **template)["id"],
        "exports": post("exports/", format="csv")["id"],
        "errors": group_of(client),
    }


def group_of(client: httpx.Client) -> str:
    """The id of the failed request's group, which a worker makes."""
    end = time.monotonic() + 120
    while not (items := client.get("errors/").json()["items"]):
        assert time.monotonic() < end
        time.sleep(0.2)
    return str(items[0]["id"])


def config_of(ids: dict[str, str]) -> str:
    """Calls act on what is there, for a made-up id is 404 and no more; what deletes has those."""
    paths = {f"{room}/[{{]id[}}]/": ids[room] for room in ids if room not in ("requests", "stream")}
    paths |= {
        "requests/[{]id[}]/(?!frames)": ids["requests"],
        "requests/[{]id[}]/frames": ids["stream"],
    }
    parts = [
        f"""
        [[operations]]
        include-path-regex = '^/api/v1/{path}'
        exclude-method = "DELETE"
        parameters = {{ "path.id" = "{id}" }}
        """
        for path, id in paths.items()
    ]
    everywhere = '"query.wait" = 0, "path.endpoint_id" = "sandbox/echo", "path.number" = 1'
    return textwrap.dedent("\n".join([f"parameters = {{ {everywhere} }}", *parts]))


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_every_reply_to_calls_that_are_made_up_is_as_described(tmp_path: Path) -> None:
    program = tools.contract_program("st")
    if not program.exists():
        pytest.skip(tools.NO_PACKAGES.format("Schemathesis"))
    with Serving(
        tmp_path, SANDBOX_PORT=str(free_port()), API_CALLS_PER_MINUTE="1000000"
    ) as serving:
        token = make_member(serving)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(
            base_url=f"{serving.url}/api/v1/", headers=headers, timeout=120, trust_env=False
        ) as client:
            ids = made(client)
        (tmp_path / "schemathesis.toml").write_text(config_of(ids))
        phases = "examples,coverage,fuzzing" if EXAMPLES > 1 else "examples,fuzzing"
        words = [
            program, "run", tools.ROOT / "docs/openapi.json", "--url", serving.url, "--seed", SEED,
            "--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS),
            "--phases", phases, "--max-examples", EXAMPLES, "--continue-on-failure", "--no-shrink",
            "--suppress-health-check", "all", "--warnings", "off", "--request-timeout", 120,
            # These name addresses elsewhere, to which the installation would then send.
            "--exclude-operation-id-regex", "^(forwarding_(add|change)_|notices_(add_channel|replace_))",
        ]  # fmt: skip
        done = subprocess.run(
            list(map(str, words)), cwd=tmp_path, capture_output=True, text=True, timeout=1200
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    generated = re.search(r"(\d+) generated", done.stdout)
    assert generated and int(generated[1]) > (2_000 if EXAMPLES > 1 else 50)
