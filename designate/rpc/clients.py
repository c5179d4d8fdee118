"""Typed clients: an object with an interface's methods, whose calls travel over a bus."""

from __future__ import annotations

import logging
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

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
    """A client of the interface. Its methods raise what the endpoint raised.

    newest: no message is newer than this version of the contract, because processes of an older
    release may get it. A call that needs a newer one raises NotServed, a cast is left to the sweep.
    """
    limit = version(newest or interfaces.CONTRACT)
    members: dict[str, Any] = {
        name: _method(_Sent(interface, topic, name, signature, limit), bus)
        for name, signature in signatures(interface).items()
    }
    client = type(f"{interface.__name__}Client", (), members)()
    return cast(I, client)


class _Sent:
    """What is sent for the calls of one method: the least version that it needs, so that a server of
    an older release answers it if it can."""

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
        self._later = {
            argument: interface.SINCE[f"{name}.{argument}"]
            for argument in signature.parameters
            if f"{name}.{argument}" in interface.SINCE
        }
        self._limit = limit

    def message(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[str, str, str, str, dict[str, Any]]:
        """(topic, namespace, version, method, arguments). Raises NotServed."""
        values = self.signature.given(args, kwargs)
        needed = self._base
        for argument, since in self._later.items():
            if argument in values and values[argument] == self.signature.defaults[argument]:
                del values[argument]
            elif argument in values:
                needed = max(needed, since, key=version)
        if not can_serve(self._limit, version(needed)):
            raise NotServed(f"{self.interface.NAMESPACE}.{self.name}", needed)
        plain = self.signature.pack(values)
        return self.topic, self.interface.NAMESPACE, needed, self.name, plain


def _method(sent: _Sent, bus: Bus) -> Callable[..., Any]:
    def call(_self: object, *args: Any, **kwargs: Any) -> Any:
        return sent.signature.decode_result(bus.call(*sent.message(args, kwargs), sent.kind))

    def ask(_self: object, *args: Any, **kwargs: Any) -> Any:
        message = sent.message(args, kwargs)
        try:
            answer = bus.call(*message, sent.kind, PROMPT_S)
        except RpcTimeout:
            answer = bus.call(*message, sent.kind, 2 * PROMPT_S)
        return sent.signature.decode_result(answer)

    def tell(_self: object, *args: Any, **kwargs: Any) -> None:
        try:
            message = sent.message(args, kwargs)
        except NotServed as error:
            LOG.warning("not sent: %s", error)
            return
        (bus.cast if sent.name in sent.interface.CASTS else bus.fanout)(*message)

    told = sent.interface.CASTS | sent.interface.FANOUTS
    quick = ask if sent.kind is interfaces.CallKind.PROMPT else call
    method = tell if sent.name in told else quick
    method.__name__ = sent.name
    return method


@dataclass(frozen=True, slots=True)
class CentralClient:
    """Everything that central answers."""

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
        parts = typing.get_type_hints(cls)
        return cls(
            **{name: make(interface, bus, topic, newest) for name, interface in parts.items()}
        )


def worker_client(
    bus: Bus, topic: str = WORKER_TOPIC, newest: str | None = None
) -> interfaces.WorkerApi:
    return make(interfaces.WorkerApi, bus, topic, newest)


def central_client_over(conf: cfg.ConfigOpts, bus: Bus) -> CentralClient:
    """Central under the configured topic, spoken to as [upgrade_levels] says."""
    return CentralClient.over(
        bus, conf["service:central"].topic, newest=conf.upgrade_levels.central
    )


def worker_client_over(conf: cfg.ConfigOpts, bus: Bus) -> interfaces.WorkerApi:
    """The workers under the configured topic, spoken to as [upgrade_levels] says."""
    return worker_client(bus, conf["service:worker"].topic, newest=conf.upgrade_levels.worker)
