from __future__ import annotations

import logging
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from dashboard.masking import SECRET_PATHS, MaskingFormatter, mask, masks_path

UUID = "6f1b4f3e-0000-4000-8000-000000000000"


@pytest.mark.parametrize("end", ["", "/", "?a=b", '" 404 -'])
def test_the_secret_of_a_webhook_is_masked_and_the_rest_stays(end: str) -> None:
    assert mask(f"POST /hooks/fal/{UUID}/s3cr-et_{end}") == f"POST /hooks/fal/{UUID}/***{end}"


@pytest.mark.parametrize("page", ["setup", "join"])
def test_the_token_of_a_one_time_link_is_masked(page: str) -> None:
    assert mask(f"GET http://localhost:8000/{page}/abc-DEF_1/?x") == (
        f"GET http://localhost:8000/{page}/***/?x"
    )


@pytest.mark.parametrize("path", [path.replace("*", UUID) for path in SECRET_PATHS])
@pytest.mark.parametrize(
    "line",
    [
        "GET /{}/s3cr-et_/ HTTP/1.1", "https://x.example/{}/s3cr-et_?a=b", "'/{}/s3cr-et_'", "//{}//s3cr-et_/",
        "Referer: http://x/{}/s3cr-et_", "/accounts/login/?next=/{}/s3cr-et_/", "?next={:quoted}&x=1",
        "http%3A%2F%2Fx{:quoted}", "/{:upper}/s3cr-et_", "<a href=/{}/s3cr-et_>",
    ],
)  # fmt: skip
def test_the_secret_of_a_path_is_masked_wherever_the_path_stands(path: str, line: str) -> None:
    quoted = quote(f"/{path}/s3cr-et_/", safe="")
    text = line.replace("{:quoted}", quoted).replace("{:upper}", path.upper()).replace("{}", path)
    assert "s3cr-et_" in text
    assert "s3cr-et_" not in mask(text)
    assert "***" in mask(text)


@pytest.mark.parametrize(
    "name",
    [
        "token", "access_token", "fal_jwt_token", "key", "api_key", "apikey", "FAL_KEY", "secret", "client_secret",
        "password", "signature", "X-Amz-Signature", "sig", "code", "sessionid", "authorization", "Token", "jwt",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["/x?", "/x?a=b&", "wss://fal.run/x?a=b;"])
def test_a_secret_parameter_is_masked_and_the_rest_of_the_query_stays(
    before: str, name: str
) -> None:
    assert mask(f'"GET {before}{name}=s3.cr/et%20&page=2 HTTP"') == (
        f'"GET {before}{name}=***&page=2 HTTP"'
    )


@pytest.mark.parametrize(
    "text",
    ["/requests/?q=key&status=failed", "/x?monkey=1&keyboard=2&tokens_used=3&decode=4", "?author=ann"],
)  # fmt: skip
def test_other_parameters_stay(text: str) -> None:
    assert mask(text) == text


def test_other_paths_stay_as_they_are() -> None:
    text = f"GET /requests/{UUID}/logs/?after=3 /hooks/fal/{UUID} /setups/x /joiner/x"
    assert mask(text) == text


def test_the_formatter_masks_arguments_and_tracebacks() -> None:
    path = f"/hooks/fal/{UUID}/s3cret"
    try:
        raise ValueError(path)
    except ValueError as error:
        traceback = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "Not Found: %s", (path,), traceback)
    line = MaskingFormatter("{message}", style="{").format(record)
    assert "ValueError" in line
    assert line.count("***") == 2
    assert "s3cret" not in line


def test_a_page_with_a_secret_in_its_path_sends_no_path_as_the_referrer() -> None:
    request = RequestFactory().get("/join/s3cret/")
    response = masks_path(lambda _: HttpResponse())(request)
    # Not no-referrer: a form would then be sent with the Origin null, and refused.
    assert response["Referrer-Policy"] == "strict-origin"
    assert "s3cret" not in request.path
