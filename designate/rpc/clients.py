"""Typed RPC clients: objects with an interface's methods, which call over a bus."""

from __future__ import annotations

import logging
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from oslo_config import cfg

from designate.rpc import interfaces
from designate.rpc.bus import (
    Bus,
    NotServed,
    RpcTimeout,
    Signature,
    Version,
    can_serve,
    signatures,
    version,
)

LOG = logging.getLogger(__name__)

CENTRAL_TOPIC = "central"
WORKER_TOPIC = "worker"
PROMPT_S = 3.0

I = TypeVar("I", bound=interfaces.Interface)  # noqa: E741 - the conventional name for "interface"


def make(interface: type[I], bus: Bus, topic: str, newest: str | None = None) -> I:
    """Return a client of the interface, whose methods raise what the endpoint raised.

    Args:
        interface: The interface.
        bus: Carries the calls.
        topic: Whose processes serve them.
        newest: Newest version of the contract to use, because processes of an older release may
            serve the call; None: this release's. A call that needs a newer one raises NotServed, a
            cast is dropped.
    """
    limit = version(newest or interfaces.CONTRACT)
    members: dict[str, Any] = {
        name: _method(_MessageBuilder(interface, topic, name, signature, limit), bus)
        for name, signature in signatures(interface).items()
    }
    client = type(f"{interface.__name__}Client", (), members)()
    return typing.cast(I, client)


class _MessageBuilder:
    """Builds the messages of one method, in the oldest version that they need.

    So a server of an older release can serve them where that is possible.
    """

    def __init__(
        self,
        interface: type[interfaces.Interface],
        topic: str,
        name: str,
        signature: Signature,
        limit: Version,
    ) -> None:
        self.interface = interface
        self.topic = topic
        self.name = name
        self.kind = interfaces.call_kind(interface, name)
        self.signature = signature
        first = f"{version(interface.VERSION)[0]}.0"
        self._base = interface.SINCE.get(name, first)
        self._added_in = {
            argument: interface.SINCE[f"{name}.{argument}"]
            for argument in signature.parameters
            if f"{name}.{argument}" in interface.SINCE
        }
        self._limit = limit

    def message(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[str, str, str, str, dict[str, Any]]:
        """Return topic, namespace, version, method and arguments; raise NotServed."""
        values = self.signature.by_name(args, kwargs)
        needed = self._base
        for argument, since in self._added_in.items():
            if argument in values and values[argument] == self.signature.defaults[argument]:
                del values[argument]
            elif argument in values:
                needed = max(needed, since, key=version)
        if not can_serve(self._limit, version(needed)):
            raise NotServed(f"{self.interface.NAMESPACE}.{self.name}", needed)
        plain = self.signature.pack(values)
        return self.topic, self.interface.NAMESPACE, needed, self.name, plain


def _method(builder: _MessageBuilder, bus: Bus) -> Callable[..., Any]:
    def call(_self: object, *args: Any, **kwargs: Any) -> Any:
        return builder.signature.decode_result(
            bus.call(*builder.message(args, kwargs), builder.kind)
        )

    def call_with_retry(_self: object, *args: Any, **kwargs: Any) -> Any:
        message = builder.message(args, kwargs)
        try:
            result = bus.call(*message, builder.kind, PROMPT_S)
        except RpcTimeout:
            result = bus.call(*message, builder.kind, 2 * PROMPT_S)
        return builder.signature.decode_result(result)

    def cast(_self: object, *args: Any, **kwargs: Any) -> None:
        try:
            message = builder.message(args, kwargs)
        except NotServed as error:
            LOG.warning("not sent: %s", error)
            return
        (bus.fanout if is_fanout else bus.cast)(*message)

    is_fanout = builder.name in builder.interface.FANOUTS
    if is_fanout or builder.name in builder.interface.CASTS:
        method = cast
    elif builder.kind is interfaces.CallKind.PROMPT:
        method = call_with_retry
    else:
        method = call
    method.__name__ = builder.name
    return method


@dataclass(frozen=True, slots=True)
class CentralClient:
    """Clients of all interfaces of central."""

    zones: interfaces.ZonesApi
    recordsets: interfaces.RecordSetsApi
    managed_names: interfaces.ManagedNamesApi
    quotas: interfaces.QuotasApi
    pools: interfaces.PoolsApi
    tlds: interfaces.TldsApi
    blacklists: interfaces.BlacklistsApi
    tsigkeys: interfaces.TsigKeysApi
    shares: interfaces.SharesApi
    transfer_requests: interfaces.TransferRequestsApi
    transfer_accepts: interfaces.TransferAcceptsApi
    imports: interfaces.ImportsApi
    exports: interfaces.ExportsApi
    floatingips: interfaces.FloatingIpsApi
    services: interfaces.ServicesApi
    usage: interfaces.UsageApi
    access: interfaces.AccessApi
    status: interfaces.StatusApi
    secondary: interfaces.SecondaryApi
    sweeps: interfaces.SweepsApi
    leases: interfaces.LeasesApi

    @classmethod
    def over(cls, bus: Bus, topic: str = CENTRAL_TOPIC, newest: str | None = None) -> CentralClient:
        """Return clients over the bus; see make."""
        parts = typing.get_type_hints(cls)
        return cls(
            **{name: make(interface, bus, topic, newest) for name, interface in parts.items()}
        )


def worker_client(
    bus: Bus, topic: str = WORKER_TOPIC, newest: str | None = None
) -> interfaces.WorkerApi:
    """Return a client of the workers; see make."""
    return make(interfaces.WorkerApi, bus, topic, newest)


def central_client_over(conf: cfg.ConfigOpts, bus: Bus) -> CentralClient:
    """Return clients of central, with the configured topic and [upgrade_levels]."""
    return CentralClient.over(
        bus, conf["service:central"].topic, newest=conf.upgrade_levels.central
    )


def worker_client_over(conf: cfg.ConfigOpts, bus: Bus) -> interfaces.WorkerApi:
    """Return a client of the workers, with the configured topic and [upgrade_levels]."""
    return worker_client(bus, conf["service:worker"].topic, newest=conf.upgrade_levels.worker)
