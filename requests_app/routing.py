"""The sockets, and the HTTP addresses that Django does not answer."""

from __future__ import annotations

from django.urls import path

from requests_app.consumers.live import LiveConsumer
from requests_app.consumers.realtime import RealtimeConsumer
from requests_app.gateway.application import PREFIX, gateway
from requests_app.gateway.sockets import SOCKETS, gateway_socket

# By the beginning of the path: no cookie is read there and no page is served.
http_prefixes = {PREFIX: gateway}
# Sockets of programs: they carry a key in a header, which no page of another site can send.
socket_prefixes = {SOCKETS: gateway_socket}

websocket_urlpatterns = [
    path("ws/", LiveConsumer.as_asgi()),
    path("ws/realtime/", RealtimeConsumer.as_asgi()),
]
