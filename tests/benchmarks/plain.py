"""What one would write by Channels' tutorial: a group, a consumer per page, Daphne.

`python -m tests.benchmarks.plain PORT QUERIES`, with a database as its environment says. `POST /done?id=…`
changes the row and sends one group message; each socket passes it on (0), or reads the row and sends
what a table shows of it (1).
"""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import parse_qs

os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"


def application(*, reads: bool) -> Any:
    """Two routes."""
    import django

    django.setup()
    from channels.generic.websocket import AsyncJsonWebsocketConsumer
    from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
    from channels.routing import ProtocolTypeRouter

    from requests_app.models import FalRequest

    channel_layers.set("default", InMemoryChannelLayer())

    class TableConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
        async def connect(self) -> None:
            await self.channel_layer.group_add("table", self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard("table", self.channel_name)

        async def receive_json(self, content: Any, **kwargs: Any) -> None:
            await self.send_json({"type": "hello"})

        async def row_changed(self, event: Any) -> None:
            message = {"type": "changed", "rows": [[event["id"], 0]]}
            if reads:
                row = await FalRequest.objects.select_related("person").aget(public_id=event["id"])
                shown = row.status, row.endpoint_id, row.summary, row.person.get_username()
                message["shown"] = [shown, row.created_at.isoformat()]
            await self.send_json(message)

    async def done(scope: Any, receive: Any, send: Any) -> None:
        public_id = parse_qs(scope["query_string"].decode())["id"][0]
        await FalRequest.objects.filter(public_id=public_id).aupdate(status="completed")
        await get_channel_layer().group_send("table", {"type": "row.changed", "id": public_id})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return ProtocolTypeRouter({"http": done, "websocket": TableConsumer.as_asgi()})


def main(port: int, reads: int) -> None:
    """Serve until killed."""
    from daphne.server import Server

    app = application(reads=bool(reads))
    Server(app, endpoints=[f"tcp:{port}:interface=127.0.0.1"], verbosity=0).run()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
