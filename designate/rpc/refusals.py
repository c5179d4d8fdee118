"""Refusals of the message broker at the start of a process, as one line that says what to do.

A broker that is down is waited for. One that refuses the user, the virtual host or a queue will do so until
the operator has changed something; so it ends the start.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import oslo_messaging as messaging
from amqp.exceptions import AMQPError, PreconditionFailed
from kombu.exceptions import KombuError

from designate import errors

LOG = logging.getLogger(__name__)

TRANSPORT_URL = "[DEFAULT] transport_url"
MAX_CONNECT_S = 5.0
QUEUES_DIFFER = (
    "its queues were declared with other settings: make the queue options of [oslo_messaging_rabbit] "
    "those of the other services, delete the queue, or use a virtual host of its own in"
)


@contextmanager
def reported(transport: Any, option: str = TRANSPORT_URL) -> Iterator[None]:
    """Raise what the broker refuses inside the context as ConfigurationError.

    Args:
        transport: Of oslo.messaging.
        option: The option with the transport's URL.
    """
    try:
        yield
    except (messaging.MessagingException, KombuError, AMQPError) as error:
        text = errors.first_line(error)
        differs = isinstance(error, PreconditionFailed) or "PRECONDITION_FAILED" in text
        advice = QUEUES_DIFFER if differs else "check"
        raise errors.ConfigurationError(
            f"The message broker refuses: {text}; {advice} {option} ({_without_passwords(transport)})"
        ) from None


def require_access(transport: Any, option: str = TRANSPORT_URL) -> None:
    """Connect once and raise ConfigurationError where the broker refuses.

    Returns where it is down, or hangs for MAX_CONNECT_S; the connection is for later messages.
    """
    connect = getattr(transport._driver, "_get_connection", None)
    if connect is None:
        return  # not a broker
    refused: list[AMQPError] = []

    def run() -> None:
        try:
            with connect(retry=0):
                pass
        except AMQPError as error:
            refused.append(error)
        except (messaging.MessagingException, KombuError, OSError) as error:
            LOG.debug("the message broker is down: %s", error)

    thread = threading.Thread(target=run, name="broker-access", daemon=True)
    thread.start()
    thread.join(MAX_CONNECT_S)
    with reported(transport, option):
        if refused:
            raise refused[0]


def _without_passwords(transport: Any) -> str:
    url = transport._driver._url
    hosts = ", ".join(f"{host.username}@{host.hostname}:{host.port}" for host in url.hosts)
    return f"{hosts}, virtual host {url.virtual_host or '/'}"
