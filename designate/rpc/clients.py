"""Typed clients: an object with an interface's methods, whose calls travel over a bus."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from designate.rpc import interfaces
from designate.rpc.bus import Bus, signatures

CENTRAL_TOPIC = "central"
WORKER_TOPIC = "worker"

I = TypeVar("I", bound=interfaces.Interface)  # noqa: E741 - the conventional name for "interface"


def make(interface: type[I], bus: Bus, topic: str) -> I:
    """A client of the interface. Its methods raise what the endpoint raised."""
    members: dict[str, Any] = {}
    for name, signature in signatures(interface).items():
        if name in interface.CASTS:
            send = bus.cast
        elif name in interface.FANOUTS:
            send = bus.fanout
        else:
            send = bus.call
        members[name] = _method(interface, topic, name, signature, send)
    client = type(f"{interface.__name__}Client", (), members)()
    return cast(I, client)


def _method(interface: type[I], topic: str, name: str, signature: Any, send: Any) -> Any:
    def method(_self: object, *args: Any, **kwargs: Any) -> Any:
        plain = send(
            topic, interface.NAMESPACE, interface.VERSION, name, signature.pack(args, kwargs)
        )
        return signature.decode_result(plain)

    method.__name__ = name
    return method


@dataclass(frozen=True, slots=True)
class CentralClient:
    """Everything that central answers."""

    zones: interfaces.ZonesApi
    recordsets: interfaces.RecordSetsApi
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
    reports: interfaces.ReportsApi
    access: interfaces.AccessApi
    status: interfaces.StatusApi
    inbound: interfaces.InboundApi
    sweeps: interfaces.SweepsApi
    leases: interfaces.LeasesApi

    @classmethod
    def over(cls, bus: Bus, topic: str = CENTRAL_TOPIC) -> CentralClient:
        parts = typing.get_type_hints(cls)
        return cls(**{name: make(interface, bus, topic) for name, interface in parts.items()})


def worker_client(bus: Bus, topic: str = WORKER_TOPIC) -> interfaces.WorkerApi:
    return make(interfaces.WorkerApi, bus, topic)
