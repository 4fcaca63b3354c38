"""The internal names of libraries that we use or override, each with the place where its library uses it."""

from __future__ import annotations

# Our file -> name -> where the library refers to it, as "module:class.function" ("" for the module's top).
USED: dict[str, dict[str, str]] = {
    "dashboard/asgi.py": {
        "load_middleware": "django.core.handlers.asgi:ASGIHandler.__init__",
        "_middleware_chain": "django.core.handlers.base:BaseHandler.get_response_async",
    },
    "dashboard/bounded.py": {
        # Looked up by name when a server starts; replaced by ours.
        "HTTPFactory": "daphne.server:Server.run",
        "WebSocketFactory": "daphne.server:Server.run",
        "handle_reply": "daphne.server:Server.create_application",
        "log_action": "daphne.http_protocol:WebRequest.handle_reply",
        # Connections
        "MAX_LENGTH": "twisted.protocols.basic:LineReceiver.dataReceived",
        "totalHeadersSize": "twisted.web.http:HTTPChannel.lineReceived",
        "maxHeaders": "twisted.web.http:HTTPChannel.headerReceived",
        "_handlingRequest": "twisted.web.http:HTTPChannel.requestDone",
        "dataReceived": "twisted.web.http:_GenericHTTPChannelProtocol.dataReceived",
        "lineReceived": "twisted.protocols.basic:LineReceiver.dataReceived",
        "rawDataReceived": "twisted.protocols.basic:LineReceiver.dataReceived",
        "allHeadersReceived": "twisted.web.http:HTTPChannel.lineReceived",
        "allContentReceived": "twisted.web.http:HTTPChannel._finishRequestBody",
        "length": "twisted.web.http:HTTPChannel._maybeChooseTransferDecoder",
        "callLater": "twisted.web.http:_GenericHTTPChannelProtocol.callLater",
        "connectionLost": "twisted.internet.tcp:Connection.connectionLost",
        "pauseProducing": "twisted.internet.abstract:FileDescriptor._maybePauseProducer",
        "resumeProducing": "twisted.internet.abstract:FileDescriptor.doWrite",
        "stopProducing": "twisted.internet.abstract:FileDescriptor.connectionLost",
        # Requests
        "_GenericHTTPChannelProtocol": "twisted.web.http:_genericHTTPChannelProtocolFactory",
        "protocol": "twisted.internet.protocol:Factory.buildProtocol",
        "buildProtocol": "twisted.internet.tcp:Port.doRead",
        "requestFactory": "twisted.web.http:HTTPChannel.lineReceived",
        "handleContentChunk": "twisted.web.http:HTTPChannel._maybeChooseTransferDecoder",
        "parsePOSTFormSubmission": "twisted.web.http:Request.__init__",
        "log": "twisted.web.http:Request.finish",
        "channel": "daphne.http_protocol:WebRequest.__init__",
        # Sockets
        "connectionMade": "autobahn.twisted.websocket:WebSocketAdapterProtocol.connectionMade",
        "serverSend": "daphne.ws_protocol:WebSocketProtocol.handle_reply",
        "onMessage": "autobahn.twisted.websocket:WebSocketAdapterProtocol._onMessage",
        "application_queue": "daphne.ws_protocol:WebSocketProtocol.onMessage",
        "state": "autobahn.websocket.protocol:WebSocketProtocol.consumeData",
        "STATE_CLOSED": "autobahn.websocket.protocol:WebSocketProtocol.consumeData",
        # The rest of a body whose request has been answered
        "_path": "twisted.web.http:HTTPChannel.allContentReceived",
        "persistent": "twisted.web.http:HTTPChannel.requestDone",
        "loseConnection": "twisted.web.http:HTTPChannel.requestDone",
        "_networkProducer": "twisted.web.http:HTTPChannel.loseConnection",
        "startedWriting": "twisted.web.http:Request.finish",
    },
    "dashboard/streamed.py": {
        "handleContentChunk": "twisted.web.http:HTTPChannel._maybeChooseTransferDecoder",
        "requestReceived": "twisted.web.http:HTTPChannel.allContentReceived",
        "finish": "daphne.http_protocol:WebRequest.handle_reply",
        "content": "daphne.http_protocol:WebRequest.process",
        "application_queue": "daphne.http_protocol:WebRequest.process",
        "finished": "daphne.http_protocol:WebRequest.handle_reply",
        "responseHeaders": "daphne.http_protocol:WebRequest.handle_reply",
        "channel": "daphne.http_protocol:WebRequest.__init__",
        "_savedTimeOut": "twisted.web.http:HTTPChannel.requestDone",
        "_command": "twisted.web.http:HTTPChannel.allContentReceived",
        "_path": "twisted.web.http:HTTPChannel.allContentReceived",
        "_version": "twisted.web.http:HTTPChannel.allContentReceived",
    },
    "dashboard/layers.py": {
        "group_add": "channels.generic.websocket:AsyncWebsocketConsumer.websocket_connect",
        "group_discard": "channels.generic.websocket:AsyncWebsocketConsumer.websocket_disconnect",
        "group_send": "channels.layers:BaseChannelLayer.group_send",
        "_clean_expired": "channels.layers:InMemoryChannelLayer.receive",
        "groups": "channels.layers:InMemoryChannelLayer.group_add",
        "channels": "channels.layers:InMemoryChannelLayer.receive",
        "expiry": "channels.layers:InMemoryChannelLayer.send",
        "get_capacity": "channels.layers:InMemoryChannelLayer.receive",
    },
    "dashboard/redislayer.py": {
        "_get_group_channel_name": "channels_redis.pubsub:RedisPubSubLoopLayer.group_send",
        "serialize": "channels_redis.pubsub:RedisPubSubLoopLayer.group_send",
    },
    "dashboard/server.py": {
        "_asyncioEventloop": "twisted.internet.asyncioreactor:AsyncioSelectorReactor.run",
    },
    "dashboard/embedded.py": {
        "WorkController": "celery.app.base:Celery.WorkController",
    },
    "dashboard/sqlite3/base.py": {
        "convert_query": "django.db.backends.sqlite3.base:SQLiteCursorWrapper.execute",
        "FORMAT_QMARK_REGEX": "django.db.backends.sqlite3.base:SQLiteCursorWrapper.convert_query",
        "create_cursor": "django.db.backends.base.base:BaseDatabaseWrapper._cursor",
        "_start_transaction_under_autocommit":
            "django.db.backends.base.base:BaseDatabaseWrapper.set_autocommit",
        "_commit": "django.db.backends.base.base:BaseDatabaseWrapper.commit",
        "_rollback": "django.db.backends.base.base:BaseDatabaseWrapper.rollback",
        "_close": "django.db.backends.base.base:BaseDatabaseWrapper.close",
    },
    "dashboard/stopping.py": {
        "listen_success": "daphne.server:Server.run",
        "connections": "daphne.server:Server.protocol_connected",
        "application_instance": "daphne.server:Server.create_application",
        "serverClose": "daphne.ws_protocol:WebSocketProtocol.handle_reply",
        "STATE_OPEN": "daphne.ws_protocol:WebSocketProtocol.check_timeouts",
        "numberAccepts": "twisted.internet.tcp:Port.doRead",
        "doRead": "twisted.internet.asyncioreactor:AsyncioSelectorReactor._readOrWrite",
    },
    "dashboard/websocket.py": {
        "create_xor_masker": "autobahn.websocket.protocol:WebSocketProtocol.processData",
        "pointer": "autobahn.websocket.protocol:WebSocketProtocol.processData",
        "process": "autobahn.websocket.protocol:WebSocketProtocol.processData",
        "reset": "autobahn.websocket.protocol:WebSocketProtocol.onFrameBegin",
        "apply_mask": "websockets.frames:Frame.parse",
        "connectionMade": "autobahn.twisted.websocket:WebSocketAdapterProtocol.connectionMade",
        "utf8validateIncoming": "autobahn.websocket.protocol:WebSocketProtocol.onFrameBegin",
        "dataReceived": "twisted.internet.tcp:Connection._dataReceived",
        "_dataReceived": "autobahn.twisted.websocket:WebSocketAdapterProtocol.dataReceived",
        "onMessageEnd": "autobahn.twisted.websocket:WebSocketAdapterProtocol._onMessageEnd",
        "failedByMe": "autobahn.websocket.protocol:WebSocketProtocol.onMessageEnd",
        "message_data": "autobahn.websocket.protocol:WebSocketProtocol.onMessageFrameData",
        "message_is_binary": "autobahn.websocket.protocol:WebSocketProtocol.onMessageBegin",
        "_onMessage": "autobahn.websocket.protocol:WebSocketProtocol.onMessageEnd",
        "_invalid_payload": "autobahn.websocket.protocol:WebSocketProtocol.onFrameEnd",
        "sendData": "autobahn.websocket.protocol:WebSocketProtocol.sendFrame",
        "writeSomeData": "twisted.internet.abstract:FileDescriptor.doWrite",
        "connected": "twisted.internet.abstract:FileDescriptor.write",
        "disconnecting": "twisted.internet.abstract:FileDescriptor.doWrite",
        "dataBuffer": "twisted.internet.abstract:FileDescriptor.doWrite",
        "offset": "twisted.internet.abstract:FileDescriptor.doWrite",
        "_tempDataLen": "twisted.internet.abstract:FileDescriptor.write",
    },
    "dashboard/hashed_files.py": {"use_brotli": "whitenoise.compress:Compressor.compress"},
    "dashboard/static_files.py": {
        "static_root": "whitenoise.middleware:WhiteNoiseMiddleware.__init__",
        "static_prefix": "whitenoise.middleware:WhiteNoiseMiddleware.__init__",
        "files": "whitenoise.middleware:WhiteNoiseMiddleware.__call__",
        "add_mime_headers": "whitenoise.base:WhiteNoise.get_static_file",
        "url_is_canonical": "whitenoise.base:WhiteNoise.find_file",
        "add_file_to_dictionary": "whitenoise.base:WhiteNoise.update_files_dictionary",
    },
    "requests_app/accounts/adapter.py": {
        "is_open_for_signup": "allauth.account.mixins:CloseableSignupMixin.is_open",
        "authenticate": "allauth.account.forms:LoginForm._clean_with_password",
        "post_login": "allauth.account.internal.flows.login:resume_login",
        "logout": "allauth.account.internal.flows.logout:logout",
        "get_password_change_redirect_url":
            "allauth.account.views:PasswordChangeView.get_default_success_url",
        "set_password": "allauth.account.internal.flows.password_change:change_password",
        "get_client_ip": "allauth.account.adapter:DefaultAccountAdapter.send_notification_mail",
        "send_notification_mail": "allauth.mfa.totp.internal.flows:deactivate_totp",
        "send_mail": "allauth.account.adapter:DefaultAccountAdapter.send_password_reset_mail",
        "error_messages": "allauth.core.internal.adapter:BaseAdapter.validation_error",
    },
    "requests_app/accounts/factors.py": {
        "encrypt": "allauth.mfa.totp.internal.auth:TOTP.activate",
        "decrypt": "allauth.mfa.totp.internal.auth:TOTP.validate_code",
        "generate_authenticator_name": "allauth.mfa.webauthn.forms:_BaseAddWebAuthnForm.__init__",
    },
    "requests_app/forms/factors.py": {
        "clean": "allauth.mfa.webauthn.forms:_BaseAddWebAuthnForm.clean",
        "clean_credential": "allauth.mfa.webauthn.forms:AuthenticateWebAuthnForm.clean_credential",
        "clean_code": "allauth.mfa.base.forms:BaseAuthenticateForm.clean_code",
    },
    "requests_app/accounts/backend.py": {
        "authenticate": "django.contrib.auth:authenticate",
        "_check_password":
            "allauth.account.auth_backends:AuthenticationBackend._authenticate_by_username",
    },
    "requests_app/consumers/base.py": {
        "dispatch": "channels.consumer:AsyncConsumer.__call__",
        "get_handler_name": "channels.consumer:AsyncConsumer.dispatch",
    },
    "requests_app/consumers/live.py": {
        "receive": "channels.generic.websocket:AsyncWebsocketConsumer.websocket_receive",
        "receive_json": "channels.generic.websocket:AsyncJsonWebsocketConsumer.receive",
        "decode_json": "channels.generic.websocket:AsyncJsonWebsocketConsumer.receive",
    },
    "requests_app/consumers/realtime.py": {
        "connect": "channels.generic.websocket:AsyncWebsocketConsumer.websocket_connect",
        "receive": "channels.generic.websocket:AsyncWebsocketConsumer.websocket_receive",
    },
    "requests_app/models/compiled.py": {
        "klass_info": "django.db.models.query:ModelIterable.__iter__",
        "annotation_col_map": "django.db.models.query:ModelIterable.__iter__",
        "get_related_populators": "django.db.models.query:ModelIterable.__iter__",
        "default_cols": "django.db.models.sql.compiler:SQLCompiler.get_select",
    },
    "requests_app/models/session.py": {
        "_get_session_from_db": "django.contrib.sessions.backends.db:SessionStore.load",
    },
    "requests_app/consumers/rights.py": {
        "connect": "channels.generic.websocket:AsyncWebsocketConsumer.websocket_connect",
    },
    "requests_app/fal/failures.py": {
        "Too many headers": "aiohttp.http_parser:HttpParser.feed_data",
    },
    "requests_app/fal/realtime_handshake.py": {
        "open_tcp_connection": "websockets.asyncio.client:connect.connect",
        "process_redirect": "websockets.asyncio.client:connect.connect",
        "MAX_LINE_LENGTH": "websockets.http11:parse_line",
        "MAX_NUM_HEADERS": "websockets.http11:parse_headers",
        "MAX_BODY_SIZE": "websockets.http11:read_body",
    },
    "requests_app/fal/sessions.py": {
        "start": "aiohttp.client:ClientSession._request._connect_and_send_request",
        "response_class": "aiohttp.client:ClientSession.__init__",
        "reason": "httpx_aiohttp.transport:AiohttpTransport.handle_async_request",
        "max_line_size": "aiohttp.http_parser:HttpParser.feed_data",
        "max_field_size": "aiohttp.http_parser:HeadersParser.parse_headers",
        "max_headers": "aiohttp.http_parser:HttpParser.feed_data",
        "client": "httpx_aiohttp.transport:AiohttpTransport.get_client",
    },
    "requests_app/forms/account.py": {
        "clean_oldpassword": "allauth.account.forms:ChangePasswordForm.clean_oldpassword",
        "clean_password": "allauth.account.forms:ReauthenticateForm.clean_password",
        "clean_email": "allauth.account.forms:ResetPasswordForm.clean_email",
        "save": "allauth.account.views:PasswordResetView.form_valid",
    },
    "requests_app/sso/adapter.py": {
        "is_open_for_signup": "allauth.socialaccount.internal.flows.signup:process_signup",
        "pre_social_login": "allauth.socialaccount.internal.flows.login:pre_social_login",
        "on_authentication_error": "allauth.socialaccount.helpers:render_authentication_error",
    },
    "requests_app/sso/flow.py": {
        "openid_config": "allauth.socialaccount.providers.openid_connect.views:"
            "OpenIDConnectOAuth2Adapter.authorize_url",
        "complete_login": "allauth.socialaccount.providers.oauth2.views:OAuth2CallbackView.dispatch",
        "oauth2_adapter_class": "allauth.socialaccount.providers.openid_connect.provider:"
            "OpenIDConnectProvider.get_oauth2_adapter",
    },
    "requests_app/views/account.py": {
        "_redirect_to_pending_stage": "allauth.account.mixins:RedirectAuthenticatedUserMixin.dispatch",
    },
    "requests_app/views/account_email.py": {
        "post": "allauth.account.views:EmailView.post",
        "get_context_data": "allauth.account.views:EmailView.get_context_data",
    },
    "requests_app/fal/public_addresses.py": {
        "resolve": "aiohttp.connector:TCPConnector._resolve_host",
        "close": "aiohttp.connector:TCPConnector.close",
    },
    "requests_app/localqueue/transport.py": {
        "handle_async_request": "httpx._client:AsyncClient._send_single_request",
        "aclose": "httpx._client:AsyncClient.aclose",
    },
    "requests_app/sandbox/server.py": {
        "connection_made": "uvicorn.protocols.http.h11_impl:H11Protocol.connection_made",
        "app_state": "uvicorn.protocols.http.h11_impl:H11Protocol.handle_events",
        "startup": "uvicorn.server:Server._serve",
        "shutdown": "uvicorn.server:Server._serve",
        "server_state": "uvicorn.server:Server.shutdown",
    },
}  # fmt: skip

# What the frameworks invite everyone to set or override.
PUBLIC = {
    "_abc_impl",
    "form_class",
    "dispatch",
    "form_valid",
    "declared_fields",
    "base_fields",
    "media",
}
LIBRARIES = (
    "aiohttp", "allauth", "asgiref", "autobahn", "celery", "channels", "channels_redis", "daphne",
    "django.core.handlers", "django.db.backends", "httpx", "httpx_aiohttp", "kombu", "twisted",
    "uvicorn", "websockets", "whitenoise",
)  # fmt: skip
# Private by their underscore, public by their documentation.
DOCUMENTED = {"_meta", "_default_manager", "_replace"}
