"""The seam between processes: a bus carries plain data; everything typed happens at its two ends."""

from __future__ import annotations

import inspect
import logging
import time
import typing
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from designate import errors, metrics
from designate.context import Context
from designate.model import codec
from designate.rpc.interfaces import CallKind, Interface, call_kind
from designate.runtime import deadline

LOG = logging.getLogger(__name__)

RETRY_AFTER_S = 2
WARN_EVERY_S = 60.0

Version = tuple[int, int]


def version(text: str) -> Version:
    """(major, minor) of "major.minor". Raises ValueError for anything else."""
    major, minor = text.split(".")
    return int(major), int(minor)


class Bus(Protocol):
    """Carries method calls between processes. Thread-safe."""

    def call(
        self,
        topic: str,
        namespace: str,
        version: str,
        method: str,
        message: dict[str, Any],
        kind: CallKind = CallKind.OTHER,
        within_s: float | None = None,
    ) -> Any:
        """Run the method in one process that serves the topic and wait for its plain result.

        Raises the endpoint's DesignateError; Unavailable when the bus cannot be reached; RpcTimeout when
        none came within within_s or the bus's own deadline (the method may have run).
        """
        ...

    def cast(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        """Send and do not wait. Never raises and never blocks: what is lost, the sweep repairs."""
        ...

    def fanout(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        """As cast, to every process that serves the topic."""
        ...

    def serve(self, topic: str, dispatcher: Dispatcher) -> None:
        """Take calls for the topic, once start() was called."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None:
        """Stop taking calls and finish what was taken."""
        ...


class RpcTimeout(errors.Unavailable):
    """None came in time."""


class NotServed(errors.Unavailable):
    """The processes that serve a method are of an older release, or are not to be sent newer messages
    yet: in the middle of an upgrade, which ends."""

    def __init__(self, method: str, wanted: str) -> None:
        super().__init__(f"{method} {wanted} is not served until the upgrade is complete")


def can_serve(served: Version, wanted: Version) -> bool:
    """Same major version, and no newer minor one."""
    return wanted[0] == served[0] and wanted[1] <= served[1]


class Signature:
    """Codec of one interface method."""

    def __init__(self, function: Callable[..., Any]) -> None:
        hints = typing.get_type_hints(function)
        result = hints.pop("return", type(None))
        parameters = inspect.signature(function).parameters
        self.parameters = [name for name in parameters if name != "self"]
        self.defaults = {
            name: parameters[name].default
            for name in self.parameters
            if parameters[name].default is not inspect.Parameter.empty
        }
        self.encoders = {name: codec.encoder(hints[name]) for name in self.parameters}
        self.decoders = {name: codec.decoder(hints[name]) for name in self.parameters}
        self.encode_result = codec.encoder(result)
        self.decode_result = codec.decoder(result)

    def given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by their names."""
        return dict(zip(self.parameters, args, strict=False), **kwargs)

    def pack(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.encoders[name](value) for name, value in values.items()}

    def unpack(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self.decoders[name](value)
            for name, value in message.items()
            if name in self.decoders
        }


def signatures(interface: type[Interface]) -> dict[str, Signature]:
    """The methods of an interface, by name."""
    return {
        name: Signature(function)
        for name, function in vars(interface).items()
        if inspect.isfunction(function) and not name.startswith("_")
    }


class Dispatcher:
    """Finds and runs the endpoint method for a message. Thread-safe once built."""

    def __init__(
        self,
        endpoints: Mapping[type[Interface], object],
        guard: Callable[[Context], None] | None = None,
        batch_scope: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """guard: refuses a caller before the method runs. batch_scope: is entered around prompt calls that
        have all arrived and are run one after another in one thread."""
        self._guard = guard
        self.batch_scope = batch_scope
        self._next_warning_s = 0.0
        self.interfaces = tuple(endpoints)
        self._versions = {interface.NAMESPACE: interface.VERSION for interface in endpoints}
        self._kinds: dict[tuple[str, str], CallKind] = {}
        self._methods: dict[tuple[str, str], tuple[Callable[..., Any], Signature]] = {}
        for interface, endpoint in endpoints.items():
            for name, signature in signatures(interface).items():
                self._methods[interface.NAMESPACE, name] = (getattr(endpoint, name), signature)
                self._kinds[interface.NAMESPACE, name] = call_kind(interface, name)

    def methods(self, interface: type[Interface]) -> list[str]:
        """Names of the interface's methods."""
        return [name for namespace, name in self._methods if namespace == interface.NAMESPACE]

    def kind(self, namespace: str, method: str) -> CallKind:
        """What calls of the method are like; OTHER for one that is not known."""
        return self._kinds.get((namespace, method), CallKind.OTHER)

    def dispatch(
        self,
        namespace: str,
        wanted: str,
        method: str,
        message: Mapping[str, Any],
        until: float | None = None,
    ) -> dict[str, Any]:
        """What crosses the bus: {"result": <plain>} or {"error": <envelope of designate.errors>}.

        until: unix seconds at which the caller gives up (see `designate.runtime.deadline`);
        what comes later is not run.
        """
        before_s = time.monotonic()
        outcome = "ok"
        try:
            self._check_version(namespace, wanted)
            if until is not None:
                self._check_time(namespace, method, until)
            with deadline.until(until):
                return {"result": self.run(namespace, method, message)}
        except errors.DesignateError as error:
            LOG.debug("%s.%s answered %s", namespace, method, error.type)
            outcome = "error"
            return {"error": errors.to_plain(error)}
        finally:
            took_s = time.monotonic() - before_s
            metrics.RPC_SERVED.labels(f"{namespace}.{method}", outcome).observe(took_s)

    def _check_version(self, namespace: str, wanted: str) -> None:
        served = self._versions.get(namespace)
        if served is None or not can_serve(version(served), version(wanted)):
            raise NotServed(namespace, wanted)

    def _check_time(self, namespace: str, method: str, until: float) -> None:
        late_s = -deadline.remaining_s(until)
        if late_s < 0:
            return
        now_s = time.monotonic()
        if now_s >= self._next_warning_s:
            self._next_warning_s = now_s + WARN_EVERY_S
            LOG.warning(
                "%s.%s came %.1f s after its caller had given up; if there are many, this process is "
                "overloaded or the clocks of the hosts do not agree",
                namespace,
                method,
                late_s,
            )
        raise errors.Unavailable("The service was too busy", retry_after_s=RETRY_AFTER_S)

    def run(self, namespace: str, method: str, message: Mapping[str, Any]) -> Any:
        """The plain result. Only errors of the tree leave here; others are logged and become
        DesignateError, for their text may hold what a caller must not see."""
        try:
            function, signature = self._methods[namespace, method]
        except KeyError:
            raise errors.DesignateError(f"no method {namespace}.{method}") from None
        arguments = signature.unpack(message)
        try:
            context = arguments.get("context")
            if isinstance(context, Context):
                context.update_store()  # log lines of this thread are about this request now
            if self._guard is not None:
                self._guard(arguments["context"])
            return signature.encode_result(function(**arguments))
        except errors.DesignateError:
            raise
        except Exception as error:
            request_id = context.request_id if isinstance(context, Context) else "-"
            LOG.exception("%s %s.%s failed", request_id, namespace, method)
            raise errors.DesignateError from error
