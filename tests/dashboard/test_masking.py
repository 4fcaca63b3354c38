from __future__ import annotations

import logging

import pytest

from dashboard.masking import MaskingFormatter, mask

UUID = "6f1b4f3e-0000-4000-8000-000000000000"


@pytest.mark.parametrize("end", ["", "/", "?a=b", '" 404 -'])
def test_the_secret_of_a_webhook_is_masked_and_the_rest_stays(end: str) -> None:
    assert mask(f"POST /hooks/fal/{UUID}/s3cr-et_{end}") == f"POST /hooks/fal/{UUID}/***{end}"


@pytest.mark.parametrize("page", ["setup", "join"])
def test_the_token_of_a_one_time_link_is_masked(page: str) -> None:
    assert mask(f"GET http://localhost:8000/{page}/abc-DEF_1/?x") == (
        f"GET http://localhost:8000/{page}/***/?x"
    )


def test_other_paths_stay_as_they_are() -> None:
    text = f"GET /requests/{UUID}/logs/?after=3 /hooks/fal/{UUID}"
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
