"""Who a token is: keystonemiddleware with deadlines, a bounded cache and answers of our own.

What a token may do is central's to decide. `middleware.proven` reads what is found out here.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from cachetools import TTLCache
from keystoneauth1 import exceptions
from keystonemiddleware import auth_token
from oslo_config import cfg
from webob import Request, Response

from designate import errors

LOG = logging.getLogger(__name__)

GROUP = "keystone_authtoken"
CACHE = "designate.token_cache"
MOST_TOKENS = 10_000
TIMEOUT_S = 5
# One more attempt finds the other server of a pair; the caller is told to come back instead of being
# kept waiting for a third.
RETRIES = 1

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def authenticated(conf: cfg.ConfigOpts, app: WsgiApp) -> WsgiApp:
    """app behind the check of its callers' tokens, as [keystone_authtoken] says. No I/O happens before
    the first request.

    A request without a valid token gets a 401; Unavailable is raised while Keystone cannot be asked.
    """
    for group, options in auth_token.list_opts():
        conf.register_opts(options, group=group)
    # keystonemiddleware would wait for ever.
    conf.set_default("http_connect_timeout", TIMEOUT_S, GROUP)
    conf.set_default("http_request_max_retries", RETRIES, GROUP)
    settings = conf[GROUP]
    memory: TokenMemory | None = None
    if not settings.memcached_servers and not settings.cache and settings.token_cache_time > 0:
        conf.set_default("cache", CACHE, GROUP)
        memory = TokenMemory(settings.token_cache_time)
    if settings.memcached_servers and settings.memcache_use_advanced_pool:
        # Where eventlet is installed this imports it, and the thread that does so never ends: it must
        # not be one of the threads that serve requests.
        importlib.import_module("oslo_cache._memcache_pool")
    protocol = auth_token.AuthProtocol(
        app, {"oslo_config_config": conf, "oslo_config_project": "designate"}
    )
    return Gate(protocol, memory)


class TokenMemory:
    """What Keystone said about tokens, for one process; keystonemiddleware's own keeps one copy for
    every thread, without a bound. Thread-safe. Keys are digests, not tokens."""

    def __init__(self, ttl_s: float, most: int = MOST_TOKENS) -> None:
        self._lock = threading.Lock()
        self._known: TTLCache[str, Any] = TTLCache(most, ttl_s)

    def __bool__(self) -> bool:
        """An empty one is a cache, too."""
        return True

    def get(self, key: str) -> Any:
        with self._lock:
            return self._known.get(key)

    def set(self, key: str, value: Any, time: float = 0) -> None:
        """time: seconds to keep it, as memcached clients have it; here it is the same for all."""
        with self._lock:
            self._known[key] = value


class Gate:
    """Makes errors of this service out of what the check of tokens cannot answer."""

    def __init__(self, protocol: WsgiApp, memory: TokenMemory | None) -> None:
        self._protocol = protocol
        self._memory = memory

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
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
