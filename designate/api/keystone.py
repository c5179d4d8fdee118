"""Authentication by Keystone tokens: keystonemiddleware with timeouts, bounded caches and our own errors.

Central decides what a caller may do; this module finds out who the caller is.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from keystoneauth1 import exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg
from oslo_utils import timeutils
from webob import Request, Response

from designate import errors
from designate.api.environ_keys import CATALOG, parse_roles
from designate.api.keystone_transport import KeystoneTransport, Protocol, TokenCheck
from designate.runtime.bounded_cache import BoundedCache
from designate.runtime.wsgi import WsgiApp

LOG = logging.getLogger(__name__)

GROUP = "keystone_authtoken"
CACHE = "designate.token_cache"
IDENTITY = "designate.identity"
MAX_TOKENS = 10_000
# How long a caller is identified by its token alone. keystonemiddleware, even with its own cache, takes
# a fifth of the time of a request.
IDENTITY_TTL_S = 10.0
RETRIES = 1

UNAVAILABLE = (
    "Keystone is unavailable ([keystone_authtoken] auth_url), so that the token cannot be checked"
)
LATE = "Keystone did not check the token within {:g} s ([service:api] keystone_timeout)"


def with_authentication(conf: cfg.ConfigOpts, app: WsgiApp) -> WsgiApp:
    """Return the application behind a check of its callers' tokens, as [keystone_authtoken] says.

    A request without a valid token gets a 401; while Keystone is unavailable, Unavailable is raised.
    There is no I/O before the first request.

    Raises:
        ConfigurationError: memcached_servers is set, but the client library is not installed.
    """
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
    conf.set_default("http_request_max_retries", RETRIES, GROUP)
    # Without it, application credentials with access rules are rejected, since nothing can check them.
    conf.set_default("service_type", "dns", GROUP)
    settings = conf[GROUP]
    tokens: TokenCache | None = None
    if not settings.memcached_servers and not settings.cache and settings.token_cache_time > 0:
        conf.set_default("cache", CACHE, GROUP)
        tokens = TokenCache(settings.token_cache_time)
    if settings.memcached_servers:
        _require_memcached_client()
    if settings.memcached_servers and settings.memcache_use_advanced_pool:
        # If eventlet is installed, this module imports it, and the importing thread never ends: it
        # must not be a thread that serves requests.
        importlib.import_module("oslo_cache._memcache_pool")
    identities = IdentityCache(min(IDENTITY_TTL_S, settings.token_cache_time))
    transport = KeystoneTransport(
        conf["service:api"].keystone_timeout, settings.http_request_max_retries + 1
    )
    protocol = Protocol(
        IdentityReader(app, identities),
        {"oslo_config_config": conf, "oslo_config_project": "designate"},
        transport,
    )
    return AuthMiddleware(protocol, tokens, app, identities, transport)


def _require_memcached_client() -> None:
    try:
        importlib.import_module("memcache")
    except ImportError:
        raise errors.ConfigurationError(
            f"[{GROUP}] memcached_servers: python-memcached is not installed "
            "(pip install designate[memcached])"
        ) from None


def identity_from_token(request: Request) -> dict[str, Any]:
    """Return the caller as its token proves it; for the application behind `with_authentication`."""
    found = request.environ[IDENTITY]
    return {**found, "roles": list(found["roles"])}


class TokenCache:
    """A thread-safe cache of Keystone's responses about tokens, in the form of a memcached client.

    keystonemiddleware's own cache has one copy per thread and no bound. Keys are digests, not tokens.
    """

    def __init__(self, ttl_s: float, max_tokens: int = MAX_TOKENS) -> None:
        self._values: BoundedCache[str, Any] = BoundedCache(max_tokens, ttl_s=ttl_s)

    def __bool__(self) -> bool:
        """Return True, for keystonemiddleware ignores a cache that is false, as an empty one would be."""
        return True

    def get(self, key: str) -> Any:
        """Return the cached value, or None."""
        return self._values.get(key)

    def set(self, key: str, value: Any, **_options: Any) -> None:
        """Cache the value for the `ttl_s` of the cache; the options of memcached have no effect."""
        self._values.put(key, value)


class IdentityCache:
    """A thread-safe cache of environ members that describe the caller, by token.

    Entries expire after `ttl_s` seconds and no later than the token; nothing is cached if `ttl_s` is not
    positive. Keys are digests, not tokens.
    """

    def __init__(self, ttl_s: float) -> None:
        self._identities: BoundedCache[bytes, tuple[dict[str, Any], float]] = BoundedCache(
            MAX_TOKENS, ttl_s=max(0.0, ttl_s)
        )

    def get(self, environ: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what is cached for the request's token; None: keystonemiddleware must be asked."""
        key = self._key(environ)
        if key is None:
            return None
        found = self._identities.get(key)
        if found is None or time.time() >= found[1]:
            return None
        return found[0]

    def put(self, environ: Mapping[str, Any], identity: dict[str, Any]) -> None:
        """Cache what keystonemiddleware found out about the request's token.

        Tokens that are valid for some paths only (access rules of an application credential) or for one
        client only are not cached: keystonemiddleware checks them for each request.
        """
        key = self._key(environ)
        token = environ.get("keystone.token_info", {}).get("token")
        if key is None or not token or not token.get("expires_at") or token.get("bind"):
            return
        if (token.get("application_credential") or {}).get("access_rules") is not None:
            return
        expires_s = timeutils.parse_isotime(token["expires_at"]).timestamp()
        self._identities.put(key, (identity, expires_s))

    @staticmethod
    def _key(environ: Mapping[str, Any]) -> bytes | None:
        """Return the digest of the token; None if there is none or another service acts for the user."""
        token = environ.get("HTTP_X_AUTH_TOKEN")
        if not token or "HTTP_X_SERVICE_TOKEN" in environ:
            return None
        return hashlib.sha256(token.encode("latin-1")).digest()


class IdentityReader:
    """The layer behind keystonemiddleware, which reads the headers that it has written.

    Only here can they be trusted: for a cached identity the headers are the client's own.
    """

    def __init__(self, app: WsgiApp, identities: IdentityCache) -> None:
        self._app = app
        self._identities = identities

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Add the identity to the environ and to the cache."""
        user = {
            "user_id": environ.get("HTTP_X_USER_ID"),
            "project_id": environ.get("HTTP_X_PROJECT_ID"),
            "domain_id": environ.get("HTTP_X_DOMAIN_ID"),
            "system_scope": environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
            "roles": parse_roles(environ.get("HTTP_X_ROLES", "")),
        }
        identity = {IDENTITY: user, CATALOG: environ.get("HTTP_X_SERVICE_CATALOG")}
        if environ.get("HTTP_X_IDENTITY_STATUS") == "Confirmed":
            self._identities.put(environ, identity)
        environ.update(identity)
        return self._app(environ, start_response)


class AuthMiddleware:
    """The layer that passes requests with a cached identity, and the others to keystonemiddleware.

    Where Keystone is unavailable, the error is one of this service.
    """

    def __init__(
        self,
        protocol: WsgiApp,
        tokens: TokenCache | None,
        app: WsgiApp,
        identities: IdentityCache,
        transport: KeystoneTransport,
    ) -> None:
        self._protocol = protocol
        self._tokens = tokens
        self._app = app
        self._identities = identities
        self._transport = transport

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Identify the caller and pass the request on.

        Raises:
            Unavailable: Keystone cannot validate the token now.
        """
        identity = self._identities.get(environ)
        if identity is not None:
            environ.update(identity)
            return self._app(environ, start_response)
        if self._tokens is not None:
            environ[CACHE] = self._tokens
        response = self._validate(Request(environ))
        return response(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped

    def _validate(self, request: Request) -> Response:
        with self._transport.checking() as check:
            try:
                response: Response = request.get_response(self._protocol)
            except exceptions.ClientException as error:
                if not check.blocked:
                    # Only the class: texts of HTTP libraries may contain what was sent.
                    LOG.error("Keystone: token validation failed: %s", type(error).__name__)
                raise self._unavailable(check) from None
            # The 503 of maintenance mode has a Retry-After of its own.
            if response.status_int == 503 and "Retry-After" not in response.headers:
                raise self._unavailable(check)
        return response

    def _unavailable(self, check: TokenCheck) -> errors.Unavailable:
        """Return the error; until Keystone is available the next requests get it at once."""
        if not check.blocked:
            # Keystone may have responded, but without what is needed.
            self._transport.breaker.record(available=False)
        return errors.Unavailable(
            LATE.format(self._transport.timeout_s) if check.late else UNAVAILABLE
        )
