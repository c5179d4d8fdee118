"""The type of a WSGI application (PEP 3333), and the header of responses that ask for a repetition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
# Of responses that do not say themselves when to repeat the request.
RETRY_AFTER_S = 2
RETRY_CODES = (429, 503)


def with_retry_after(app: WsgiApp) -> WsgiApp:
    """Return the application with Retry-After in every response of RETRY_CODES."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            known = any(name.lower() == "retry-after" for name, _ in headers)
            if int(status[:3]) in RETRY_CODES and not known:
                headers = [*headers, ("Retry-After", str(RETRY_AFTER_S))]
            return start_response(status, headers, *exc_info)

        return app(environ, start)

    return serve
