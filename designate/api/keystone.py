"""Who a token is: keystonemiddleware with deadlines, bounded caches and answers of our own.

What a token may do is central's to decide. `identity` says what was found out here.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from keystoneauth1 import exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg
from oslo_utils import timeutils
from webob import Request, Response

from designate import errors
from designate.api.environ_keys import CATALOG, parse_roles
from designate.runtime.bounded_cache import BoundedCache

LOG = logging.getLogger(__name__)

GROUP = "keystone_authtoken"
CACHE = "designate.token_cache"
IDENTITY = "designate.identity"
MAX_TOKENS = 10_000
# So long a caller is known by its token alone, behind whatever keystonemiddleware has cached: it takes
# a fifth of the time of a request to look up, check and spell out again what it said a moment ago.
IDENTITY_TTL_S = 10.0
TIMEOUT_S = 5
# One more attempt finds the other server of a pair; the caller is told to come back instead of being
# kept waiting for a third.
RETRIES = 1

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def with_authentication(conf: cfg.ConfigOpts, app: WsgiApp) -> WsgiApp:
    """app behind the check of its callers' tokens, as [keystone_authtoken] says. No I/O happens before
    the first request.

    A request without a valid token gets a 401; Unavailable is raised while Keystone cannot be asked.
    """
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
    # keystonemiddleware would wait for ever.
    conf.set_default("http_connect_timeout", TIMEOUT_S, GROUP)
    conf.set_default("http_request_max_retries", RETRIES, GROUP)
    # Without it the access rules of application credentials cannot be checked, and are refused.
    conf.set_default("service_type", "dns", GROUP)
    settings = conf[GROUP]
    memory: TokenCache | None = None
    if not settings.memcached_servers and not settings.cache and settings.token_cache_time > 0:
        conf.set_default("cache", CACHE, GROUP)
        memory = TokenCache(settings.token_cache_time)
    if settings.memcached_servers:
        _require_memcached_client()
    if settings.memcached_servers and settings.memcache_use_advanced_pool:
        # Where eventlet is installed this imports it, and the thread that does so never ends: it must
        # not be one of the threads that serve requests.
        importlib.import_module("oslo_cache._memcache_pool")
    known = IdentityCache(min(IDENTITY_TTL_S, settings.token_cache_time))
    protocol = auth_token.AuthProtocol(
        IdentityReader(app, known), {"oslo_config_config": conf, "oslo_config_project": "designate"}
    )
    return AuthMiddleware(protocol, memory, app, known)


def _require_memcached_client() -> None:
    try:
        importlib.import_module("memcache")
    except ImportError:
        raise errors.ConfigurationError(
            f"[{GROUP}] memcached_servers: python-memcached is not installed "
            "(pip install designate[memcached])"
        ) from None


def identity_from_token(request: Request) -> dict[str, Any]:
    """Who asks, as its token proves; for the application behind `with_authentication`."""
    found = request.environ[IDENTITY]
    return {**found, "roles": list(found["roles"])}


class TokenCache:
    """What Keystone said about tokens, for one process; keystonemiddleware's own keeps one copy for
    every thread, without a bound. Thread-safe. Keys are digests, not tokens."""

    def __init__(self, ttl_s: float, most: int = MAX_TOKENS) -> None:
        self._known: BoundedCache[str, Any] = BoundedCache(most, ttl_s=ttl_s)

    def __bool__(self) -> bool:
        """An empty one is a cache, too."""
        return True

    def get(self, key: str) -> Any:
        return self._known.get(key)

    def set(self, key: str, value: Any, time: float = 0) -> None:
        """time: seconds to keep it, as memcached clients have it; here it is the same for all."""
        self._known.put(key, value)


class IdentityCache:
    """What the environ of a request says of its caller, by the token: for ttl_s seconds and no longer
    than the token is good for; nothing at all where ttl_s is not positive. Thread-safe. Keys are
    digests, not tokens."""

    def __init__(self, ttl_s: float) -> None:
        self._known: BoundedCache[bytes, tuple[dict[str, Any], float]] = BoundedCache(
            MAX_TOKENS, ttl_s=max(0.0, ttl_s)
        )

    def find(self, environ: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was learned of the request's token; None: keystonemiddleware must be asked."""
        key = self._key(environ)
        if key is None:
            return None
        found = self._known.get(key)
        if found is None or time.time() >= found[1]:
            return None
        return found[0]

    def learn(self, environ: Mapping[str, Any], facts: dict[str, Any]) -> None:
        """Keep what keystonemiddleware found out about the request's token. What it decides anew for
        each request is left to it: a token that is good for some paths alone (the access rules of an
        application credential), or for one client alone."""
        key = self._key(environ)
        token = environ.get("keystone.token_info", {}).get("token")
        if key is None or not token or not token.get("expires_at") or token.get("bind"):
            return
        if (token.get("application_credential") or {}).get("access_rules") is not None:
            return
        expires_s = timeutils.parse_isotime(token["expires_at"]).timestamp()
        self._known.put(key, (facts, expires_s))

    @staticmethod
    def _key(environ: Mapping[str, Any]) -> bytes | None:
        """None: another service speaks for the caller, or there is no token."""
        token = environ.get("HTTP_X_AUTH_TOKEN")
        if not token or "HTTP_X_SERVICE_TOKEN" in environ:
            return None
        return hashlib.sha256(token.encode("latin-1")).digest()


class IdentityReader:
    """Behind keystonemiddleware: reads what that wrote into the headers, which nobody else may do, for
    where the caller is known they are the caller's own."""

    def __init__(self, app: WsgiApp, known: IdentityCache) -> None:
        self._app = app
        self._known = known

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        who = {
            "user_id": environ.get("HTTP_X_USER_ID"),
            "project_id": environ.get("HTTP_X_PROJECT_ID"),
            "domain_id": environ.get("HTTP_X_DOMAIN_ID"),
            "system_scope": environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE"),
            "roles": parse_roles(environ.get("HTTP_X_ROLES", "")),
        }
        facts = {IDENTITY: who, CATALOG: environ.get("HTTP_X_SERVICE_CATALOG")}
        if environ.get("HTTP_X_IDENTITY_STATUS") == "Confirmed":
            self._known.learn(environ, facts)
        environ.update(facts)
        return self._app(environ, start_response)


class AuthMiddleware:
    """Lets through whom it knows, asks keystonemiddleware about the others, and makes errors of this
    service out of what that cannot answer."""

    def __init__(
        self, protocol: WsgiApp, memory: TokenCache | None, app: WsgiApp, known: IdentityCache
    ) -> None:
        self._protocol = protocol
        self._memory = memory
        self._app = app
        self._known = known

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        facts = self._known.find(environ)
        if facts is not None:
            environ.update(facts)
            return self._app(environ, start_response)
        if self._memory is not None:
            environ[CACHE] = self._memory
        return self._ask(Request(environ))(environ, start_response)  # type: ignore[no-any-return]  # webob is untyped

    def _ask(self, request: Request) -> Response:
        """Raises Unavailable."""
        try:
            response = request.get_response(self._protocol)
        except exceptions.ClientException as error:
            # The class alone: texts of HTTP libraries may hold what was sent.
            LOG.error("a token could not be validated: %s", type(error).__name__)
            raise errors.Unavailable("Keystone cannot be asked about the token") from None
        # The one of maintenance has its own Retry-After.
        if response.status_int == 503 and "Retry-After" not in response.headers:
            raise errors.Unavailable("Keystone cannot be asked about the token")
        return response
