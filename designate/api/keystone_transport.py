"""The way of requests to Keystone: one time limit for all that a token needs, and a circuit breaker.

keystonemiddleware limits each request alone, and a token takes up to three (versions, the service's own
token, the token) with repetitions. The breaker stands where Keystone is asked, so that what
keystonemiddleware has cached is served while Keystone is unavailable.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from keystoneauth1.session import TCPKeepAliveAdapter
from keystonemiddleware import auth_token

from designate.runtime.clock import SYSTEM_CLOCK, Clock

# A server that does not even accept a connection in this time is dead and not slow.
CONNECT_TIMEOUT_S = 5.0
# While Keystone is unavailable, one request in this time tries whether it still is.
PROBE_INTERVAL_S = 1.0


@dataclass(slots=True)
class TokenCheck:
    """The check of one token.

    Attributes:
        deadline: in the clock's monotonic time.
        failures: how many requests to Keystone failed.
        asked: the breaker let a request pass.
        responded: Keystone responded to a request.
        blocked: Keystone was not asked, since it is known to be unavailable.
        late: Keystone did not respond before the deadline.
    """

    deadline: float
    failures: int = 0
    asked: bool = False
    responded: bool = False
    blocked: bool = False
    late: bool = False


_check: ContextVar[TokenCheck | None] = ContextVar("token_check", default=None)


class KeystoneBlocked(requests.exceptions.RequestException):
    """Raised instead of a request to Keystone that would have to wait in vain.

    No ConnectionError, which keystoneauth would repeat.
    """


class KeystoneBreaker:
    """Refuses requests at once while Keystone is proven to be unavailable. Thread-safe.

    Without it each request, and soon all threads, would wait for the whole timeout. One request at a time
    probes.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._next_probe: float | None = None

    def blocked(self) -> bool:
        """Return whether Keystone is not to be asked now; who gets False records the result."""
        with self._lock:
            if self._next_probe is None:
                return False
            if self._clock.monotonic() < self._next_probe:
                return True
            self._next_probe = math.inf  # until the result of this one
            return False

    def record(self, *, available: bool) -> None:
        """Record whether Keystone responded."""
        with self._lock:
            probe = self._clock.monotonic() + PROBE_INTERVAL_S
            self._next_probe = None if available else probe


class KeystoneTransport:
    """Limits the requests to Keystone. Thread-safe."""

    def __init__(self, timeout_s: float, max_failures: int, clock: Clock = SYSTEM_CLOCK) -> None:
        """Set up the transport.

        Args:
            timeout_s: For all requests of one token.
            max_failures: After how many requests without a response the check of a token ends.
            clock: Measures the time.
        """
        self.timeout_s = timeout_s
        self.breaker = KeystoneBreaker(clock)
        self._max_failures = max_failures
        self._clock = clock

    @contextlib.contextmanager
    def checking(self) -> Iterator[TokenCheck]:
        """Make the requests of this thread inside the block those of one token."""
        check = TokenCheck(self._clock.monotonic() + self.timeout_s)
        token = _check.set(check)
        try:
            yield check
        finally:
            _check.reset(token)
            if check.asked and not check.responded:
                self.breaker.record(available=False)

    def begin(self) -> float:
        """Return how many seconds a request of this thread may take.

        Raises:
            KeystoneBlocked: The request would be in vain.
        """
        check = _check.get()
        if check is None:
            return self.timeout_s
        remaining_s = check.deadline - self._clock.monotonic()
        check.late = check.late or remaining_s <= 0
        check.blocked = not check.asked and self.breaker.blocked()
        if check.late or check.blocked or check.failures >= self._max_failures:
            raise KeystoneBlocked("Keystone is unavailable")
        check.asked = True
        return remaining_s

    def end(self, *, responded: bool) -> None:
        """Record the result of a request of this thread."""
        check = _check.get()
        if responded:
            self.breaker.record(available=True)
        if check is None:
            return
        check.responded = check.responded or responded
        if not responded:
            check.failures += 1
            check.late = check.late or self._clock.monotonic() >= check.deadline


class _Adapter(TCPKeepAliveAdapter):
    """The connections of a session."""

    def __init__(self, transport: KeystoneTransport) -> None:
        super().__init__()
        self._transport = transport

    def send(
        self, request: requests.PreparedRequest, timeout: Any = None, **options: Any
    ) -> requests.Response:
        remaining_s = self._transport.begin()
        # [keystone_authtoken] http_connect_timeout limits each request, where it is set.
        read_s = min(timeout, remaining_s) if isinstance(timeout, int | float) else remaining_s
        limits = (min(read_s, CONNECT_TIMEOUT_S), read_s)
        responded = False
        try:
            response: requests.Response = super().send(request, timeout=limits, **options)
            responded = True
        finally:
            self._transport.end(responded=responded)
        return response


class Protocol(auth_token.AuthProtocol):
    """keystonemiddleware over a transport."""

    def __init__(self, app: Any, conf: dict[str, Any], transport: KeystoneTransport) -> None:
        """Set up the middleware; there is no I/O before the first request."""
        self._transport = transport
        super().__init__(app, conf)

    def _create_session(self, **options: Any) -> Any:
        session = super()._create_session(**options)
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(self._transport))
        return session
