"""A small identity provider: a real HTTP server with discovery, keys, signed tokens and PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.jsonserver import JsonHandler

CLIENT, SECRET = "faldeck", "a client's secret"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """What it says of the user (`claims`), and how it lies (`change`, `sign_with`, `issuer`)."""

    def __init__(self) -> None:
        self.url = ""
        self.claims: dict[str, Any] = {"sub": "1", "preferred_username": "nora"}
        self.about: dict[str, Any] | None = None  # beside the token
        self.change: Callable[[dict[str, Any]], None] = lambda claims: None
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.issuer = ""
        self.is_away = False
        self.asked: dict[str, dict[str, str]] = {}  # code -> the browser's question

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **({"userinfo_endpoint": f"{self.url}/about"} if self.about is not None else {}),
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key("ours").public_key()))
        return {"keys": [{**public, "kid": "ours", "alg": "RS256", "use": "sig"}]}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, key("ours"), algorithm="RS256", headers={"kid": "ours"})

    def authorize(self, address: str) -> str:
        """As the user's browser and the user do: return where the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?") and asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return f"{urlsplit(asked['redirect_uri']).path}?{back}"

    def tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.asked.pop(form["code"], None)  # a code works once
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge:
            return None
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return None
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            **({"auth_time": now} if "max_age" in asked else {}), **self.claims,
        }  # fmt: skip
        self.change(claims)
        return {"access_token": "t", "token_type": "Bearer", "id_token": self.sign(claims)}


@contextmanager
def running_provider() -> Any:
    """Yield a provider that answers on a port of its own."""
    provider = Provider()

    class Handler(JsonHandler):
        def do_GET(self) -> None:
            answers = {
                "/.well-known/openid-configuration": provider.document,
                "/keys": provider.keys,
                "/about": lambda: provider.about,
            }
            if provider.is_away or self.path not in answers:
                self.say({"error": "no"}, 500)
            else:
                self.say(answers[self.path]())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said = provider.tokens({name: one[0] for name, one in parse_qs(body).items()})
            self.say(said or {"error": "invalid_grant"}, 200 if said else 400)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
