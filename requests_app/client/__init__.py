"""`faldeck`: requests to fal through a Faldeck, with the names of fal's own Python client.

    import faldeck as fal_client

    result = fal_client.subscribe("fal-ai/flux/dev", {"prompt": "a lighthouse"}, with_logs=True,
                                  on_queue_update=print)

The environment names the installation and an API token of the team: FALDECK_URL, FALDECK_TOKEN. What is
submitted appears in Faldeck's list, is kept there and goes on when the program is gone.

Different from fal's client: `request_id` is Faldeck's id; events come when something changes; a handle
has `details()`, `logs()` and `output()` too; a realtime session has its `request_id`. `webhook_url` is
refused, for Faldeck itself receives fal's webhooks.
"""

from __future__ import annotations

from .asynchronous import AsyncClient
from .errors import (
    DuplicateRequestError,
    FalClientConnectionError,
    FalClientError,
    FalClientHTTPError,
    FalClientTimeoutError,
    MissingCredentialsError,
    RequestCancelledError,
    RequestFailedError,
)
from .files import encode, encode_file, encode_image
from .handles import AsyncRequestHandle, SyncRequestHandle
from .realtime import AsyncRealtimeConnection, RealtimeConnection, RealtimeError
from .statuses import Completed, InProgress, Queued, Status
from .sync import SyncClient
from .version import __version__

__all__ = [
    "AsyncClient",
    "AsyncRealtimeConnection",
    "AsyncRequestHandle",
    "Completed",
    "DuplicateRequestError",
    "FalClientConnectionError",
    "FalClientError",
    "FalClientHTTPError",
    "FalClientTimeoutError",
    "InProgress",
    "MissingCredentialsError",
    "Queued",
    "RealtimeConnection",
    "RealtimeError",
    "RequestCancelledError",
    "RequestFailedError",
    "Status",
    "SyncClient",
    "SyncRequestHandle",
    "__version__",
    "cancel",
    "cancel_async",
    "encode",
    "encode_file",
    "encode_image",
    "realtime",
    "realtime_async",
    "result",
    "result_async",
    "run",
    "run_async",
    "status",
    "status_async",
    "stream",
    "stream_async",
    "submit",
    "submit_async",
    "subscribe",
    "subscribe_async",
    "upload",
    "upload_async",
    "upload_file",
    "upload_file_async",
    "upload_image",
    "upload_image_async",
    "ws_connect",
    "ws_connect_async",
]

sync_client = SyncClient()
cancel = sync_client.cancel
realtime = sync_client.realtime
result = sync_client.result
run = sync_client.run
status = sync_client.status
stream = sync_client.stream
submit = sync_client.submit
subscribe = sync_client.subscribe
upload = sync_client.upload
upload_file = sync_client.upload_file
upload_image = sync_client.upload_image
ws_connect = sync_client.ws_connect

async_client = AsyncClient()
cancel_async = async_client.cancel
realtime_async = async_client.realtime
result_async = async_client.result
run_async = async_client.run
status_async = async_client.status
stream_async = async_client.stream
submit_async = async_client.submit
subscribe_async = async_client.subscribe
upload_async = async_client.upload
upload_file_async = async_client.upload_file
upload_image_async = async_client.upload_image
ws_connect_async = async_client.ws_connect
