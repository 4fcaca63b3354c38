from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from playwright.sync_api import sync_playwright

from requests_app.api.api import api
from requests_app.api.auth import Bearer
from requests_app.models import TokenScope
from tests.browser.chromium import launch

PATHS = {
    "/api/v1/endpoints/": {"get"},
    "/api/v1/endpoints/{endpoint_id}/": {"get"},
    "/api/v1/endpoints/{endpoint_id}/document/": {"put", "delete"},
    "/api/v1/endpoints/{endpoint_id}/validate/": {"post"},
    "/api/v1/batches/": {"get", "post"},
    "/api/v1/batches/{id}/": {"get", "delete"},
    "/api/v1/batches/{id}/cancel/": {"post"},
    "/api/v1/batches/{id}/items/": {"get"},
    "/api/v1/batches/{id}/pause/": {"post"},
    "/api/v1/batches/{id}/results/": {"get"},
    "/api/v1/batches/{id}/resume/": {"post"},
    "/api/v1/batches/{id}/retry/": {"post"},
    "/api/v1/batches/{id}/start/": {"post"},
    "/api/v1/bulk/": {"get", "post"},
    "/api/v1/bulk/{id}/": {"get"},
    "/api/v1/bulk/{id}/items/": {"get"},
    "/api/v1/bulk/{id}/pause/": {"post"},
    "/api/v1/bulk/{id}/resume/": {"post"},
    "/api/v1/bulk/{id}/retry/": {"post"},
    "/api/v1/bulk/{id}/stop/": {"post"},
    "/api/v1/errors/": {"get"},
    "/api/v1/errors/{id}/": {"get"},
    "/api/v1/errors/{id}/ignore/": {"post"},
    "/api/v1/errors/{id}/reopen/": {"post"},
    "/api/v1/errors/{id}/resolve/": {"post"},
    "/api/v1/export/": {"get"},
    "/api/v1/exports/": {"get", "post"},
    "/api/v1/exports/{id}/": {"get", "delete"},
    "/api/v1/exports/{id}/file/": {"get"},
    "/api/v1/requests/estimate/": {"post"},
    "/api/v1/requests/import/": {"post"},
    "/api/v1/requests/{id}/run/": {"get"},
    "/api/v1/me/": {"get"},
    "/api/v1/deliveries/": {"get"},
    "/api/v1/deliveries/{id}/": {"get"},
    "/api/v1/deliveries/{id}/settle/": {"post"},
    "/api/v1/forwarding/destinations/": {"get", "post"},
    "/api/v1/forwarding/destinations/{id}/": {"get", "delete"},
    "/api/v1/forwarding/destinations/{id}/change/": {"post"},
    "/api/v1/forwarding/destinations/{id}/messages/": {"get"},
    "/api/v1/forwarding/destinations/{id}/rotate/": {"post"},
    "/api/v1/forwarding/destinations/{id}/test/": {"post"},
    "/api/v1/forwarding/messages/{id}/resend/": {"post"},
    "/api/v1/notices/channels/": {"get", "post"},
    "/api/v1/notices/channels/{id}/": {"get", "delete"},
    "/api/v1/notices/channels/{id}/replace/": {"post"},
    "/api/v1/notices/channels/{id}/test/": {"post"},
    "/api/v1/notices/rules/": {"get", "post"},
    "/api/v1/notices/rules/{id}/": {"get", "delete"},
    "/api/v1/notices/rules/{id}/change/": {"post"},
    "/api/v1/overview/": {"get"},
    "/api/v1/uploads/": {"post"},
    "/api/v1/presets/": {"get", "post"},
    "/api/v1/presets/{id}/": {"get", "delete"},
    "/api/v1/presets/{id}/rename/": {"post"},
    "/api/v1/presets/{id}/restore/": {"post"},
    "/api/v1/presets/{id}/versions/{number}/": {"get"},
    "/api/v1/requests/": {"get", "post"},
    "/api/v1/requests/{id}/": {"get"},
    "/api/v1/requests/{id}/again/": {"post"},
    "/api/v1/requests/{id}/logs/": {"get"},
    "/api/v1/requests/{id}/cancel/": {"post"},
    "/api/v1/requests/{id}/give_up/": {"post"},
    "/api/v1/requests/{id}/input/": {"get"},
    "/api/v1/requests/{id}/media/": {"get"},
    "/api/v1/requests/{id}/media/{number}/": {"get"},
    "/api/v1/requests/{id}/notes/": {"post"},
    "/api/v1/requests/{id}/payload/": {"delete"},
    "/api/v1/requests/{id}/reread/": {"post"},
    "/api/v1/requests/{id}/output/": {"get"},
    "/api/v1/requests/{id}/star/": {"put", "delete"},
    "/api/v1/requests/{id}/tags/": {"post"},
    "/api/v1/requests/{id}/events/": {"get"},
    "/api/v1/requests/{id}/frames/": {"get"},
}


def test_the_schema_names_every_path_and_its_token() -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    assert {path: set(methods) for path, methods in schema["paths"].items()} == PATHS
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert operation["security"]
            assert "401" in operation["responses"]


def test_every_operation_names_the_scope_it_needs() -> None:
    """What names none needs the widest; a call that changes something is never one that reads."""
    reads = {"validate"}  # a POST that stores nothing
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                scope = operation.auth_param
                assert isinstance(scope, Bearer), f"{operation.methods} {path} names no scope"
                is_read = "GET" in operation.methods or operation.view_func.__name__ in reads
                assert (scope.needed is TokenScope.READ) is is_read, f"{operation.methods} {path}"


def test_every_path_but_the_documentation_needs_a_token(db: None) -> None:
    for bound in api._get_bound_routers():
        for view in bound.path_operations.values():
            assert all(operation.auth_callbacks for operation in view.operations)
    assert get_resolver().resolve("/api/v1/anything").func
    assert Client().get("/api/v1/anything").status_code == 401


@pytest.mark.slow
@pytest.mark.browser
def test_the_documentation_renders_under_the_strict_policy(live_server: Any) -> None:
    """Every console line, failed load and script error counts: a blocked script is one of them."""
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(request.url))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((live_server.url, "data:"))
                or troubles.append(f"foreign: {request.url}")
            ),
        )
        reply = page.goto(f"{live_server.url}/api/v1/docs")
        assert reply and "unsafe" not in reply.headers["content-security-policy"]
        page.locator(".opblock-post", has_text="Submit a request").first.click()
        page.get_by_text("a lighthouse at dusk").first.wait_for()
        assert page.locator(".opblock").count() == sum(map(len, PATHS.values()))
        assert page.get_by_role("link", name="Back to the requests").is_visible()
        assert "faldeck.subscribe" in page.locator(".info").inner_text()
        browser.close()
    assert troubles == []
