"""The sockets."""

from __future__ import annotations

from django.urls import path

from requests_app.consumers.live import LiveConsumer
from requests_app.consumers.realtime import RealtimeConsumer

websocket_urlpatterns = [
    path("ws/", LiveConsumer.as_asgi()),
    path("ws/realtime/", RealtimeConsumer.as_asgi()),
]
