"""The type of a WSGI application (PEP 3333), and what all of this service's applications share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

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


def has_parameter(environ: dict[str, Any], name: str) -> bool:
    """Return whether the query string has a parameter, with or without a value."""
    return name in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
