"""The sockets, and the HTTP addresses that Django does not answer."""

from __future__ import annotations

from django.urls import path

from requests_app.api.mcp import PREFIX as MCP
from requests_app.api.mcp import mcp_application
from requests_app.api.realtime import SOCKETS as API_SOCKETS
from requests_app.api.realtime import api_socket
from requests_app.consumers.live import LiveConsumer
from requests_app.consumers.realtime import RealtimeConsumer
from requests_app.gateway.application import PREFIX, gateway
from requests_app.gateway.sockets import SOCKETS, gateway_socket

# By the beginning of the path: no cookie is read there and no page is served.
http_prefixes = {PREFIX: gateway}
# Those that call the site themselves, made with its application.
over_the_site = {MCP: mcp_application}
# Sockets of programs: they carry a key, which no page of another site has.
socket_prefixes = {SOCKETS: gateway_socket, API_SOCKETS: api_socket}

websocket_urlpatterns = [
    path("ws/", LiveConsumer.as_asgi()),
    path("ws/realtime/", RealtimeConsumer.as_asgi()),
]
