from __future__ import annotations

from django.test import Client

from requests_app.export.client_wheel import client_wheel


def test_the_wheel_is_there_without_a_log_in_under_its_own_name_alone(db: None) -> None:
    made = client_wheel()
    reply = Client().get(f"/client/{made.name}")
    assert (reply.status_code, reply.content) == (200, made.data)
    assert made.name in reply["Content-Disposition"]
    for other in ("faldeck.whl", "faldeck-99.0.0-py3-none-any.whl", "..%2Fmanage.py"):
        assert Client().get(f"/client/{other}").status_code == 404
    assert Client().post(f"/client/{made.name}").status_code in (403, 405)
