"""The bus between processes: it carries plain data; clients and dispatchers add the types."""

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
    """Parse "major.minor"; raise ValueError for anything else."""
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
        """Run the method in one process that serves the topic and return its plain result.

        Raises:
            DesignateError: What the endpoint raised.
            Unavailable: The bus cannot be reached.
            RpcTimeout: No reply came within within_s or the bus's own limit; the method may have
            run.
        """
        ...

    def cast(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        """Send without waiting. Never raises or blocks; periodic recovery repairs losses."""
        ...

    def fanout(
        self, topic: str, namespace: str, version: str, method: str, message: dict[str, Any]
    ) -> None:
        """Send without waiting to every process that serves the topic; see cast."""
        ...

    def serve(self, topic: str, dispatcher: Dispatcher) -> None:
        """Let the dispatcher run the calls for the topic, once the bus was started."""
        ...

    def start(self) -> None:
        """Start sending and receiving."""
        ...

    def stop(self) -> None:
        """Accept no more calls and finish the accepted ones."""
        ...


class RpcTimeout(errors.Unavailable):
    """The RPC timed out; the method may have run."""


class NotServed(errors.Unavailable):
    """Raised when the serving processes are of an older release, or may be, during an upgrade."""

    def __init__(self, method: str, requested: str) -> None:
        super().__init__(f"{method} {requested} is not served until the upgrade is complete")


def can_serve(served: Version, requested: Version) -> bool:
    """Return whether the major version is the same and the requested minor one not newer."""
    return requested[0] == served[0] and requested[1] <= served[1]


class Signature:
    """Codecs for the arguments and the result of one interface method."""

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

    def by_name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by their names."""
        return dict(zip(self.parameters, args, strict=False), **kwargs)

    def pack(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as plain data."""
        return {name: self.encoders[name](value) for name, value in values.items()}

    def unpack(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a message; unknown ones are ignored."""
        return {
            name: self.decoders[name](value)
            for name, value in message.items()
            if name in self.decoders
        }


def signatures(interface: type[Interface]) -> dict[str, Signature]:
    """Return the signatures of an interface's methods by name."""
    return {
        name: Signature(function)
        for name, function in vars(interface).items()
        if inspect.isfunction(function) and not name.startswith("_")
    }


class Dispatcher:
    """Finds and runs the endpoint's method for a message. Thread-safe.

    Args:
        endpoints: The endpoint of each interface.
        guard: Called with the context of each call; raises for one that must not run.
        batch_scope: Makes a context manager that is entered around the prompt calls of one batch,
            which run one after another in one thread.
    """

    def __init__(
        self,
        endpoints: Mapping[type[Interface], object],
        guard: Callable[[Context], None] | None = None,
        batch_scope: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
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
        """Return the names of the interface's methods."""
        return [name for namespace, name in self._methods if namespace == interface.NAMESPACE]

    def kind(self, namespace: str, method: str) -> CallKind:
        """Return the kind of the method's calls; OTHER for an unknown method."""
        return self._kinds.get((namespace, method), CallKind.OTHER)

    def dispatch(
        self,
        namespace: str,
        requested: str,
        method: str,
        message: Mapping[str, Any],
        until: float | None = None,
    ) -> dict[str, Any]:
        """Run a call and return its reply.

        The reply is {"result": <plain>} or {"error": <envelope of designate.errors>}.

        Args:
            namespace: Of the interface.
            requested: The version that the caller needs.
            method: Name of the method.
            message: The arguments as plain data.
            until: Unix seconds at which the caller gives up (see `designate.runtime.deadline`); a
                call that comes later does not run. None: no deadline.
        """
        before_s = time.monotonic()
        outcome = "ok"
        try:
            self._check_version(namespace, requested)
            if until is not None:
                self._check_time(namespace, method, until)
            with deadline.until(until):
                return {"result": self.run(namespace, method, message)}
        except errors.DesignateError as error:
            LOG.debug("%s.%s: returned error %s", namespace, method, error.type)
            outcome = "error"
            return {"error": errors.to_plain(error)}
        finally:
            took_s = time.monotonic() - before_s
            metrics.RPC_SERVED.labels(f"{namespace}.{method}", outcome).observe(took_s)

    def _check_version(self, namespace: str, requested: str) -> None:
        served = self._versions.get(namespace)
        if served is None or not can_serve(version(served), version(requested)):
            raise NotServed(namespace, requested)

    def _check_time(self, namespace: str, method: str, until: float) -> None:
        late_s = -deadline.remaining_s(until)
        if late_s < 0:
            return
        now_s = time.monotonic()
        if now_s >= self._next_warning_s:
            self._next_warning_s = now_s + WARN_EVERY_S
            LOG.warning(
                "%s.%s came %.1f s after its caller had given up; if this repeats, this process is "
                "overloaded or the clocks of the hosts differ",
                namespace,
                method,
                late_s,
            )
        raise errors.Unavailable("The service was too busy", retry_after_s=RETRY_AFTER_S)

    def run(self, namespace: str, method: str, message: Mapping[str, Any]) -> Any:
        """Run the method and return its plain result.

        Raises:
            DesignateError: What the method raised. Other exceptions are logged and become a
                DesignateError without text, because theirs may contain what a caller must not see.
        """
        try:
            function, signature = self._methods[namespace, method]
        except KeyError:
            raise errors.DesignateError(f"no method {namespace}.{method}") from None
        arguments = signature.unpack(message)
        try:
            context = arguments.get("context")
            if isinstance(context, Context):
                context.update_store()  # for the log lines of this thread
            if self._guard is not None:
                self._guard(arguments["context"])
            return signature.encode_result(function(**arguments))
        except errors.DesignateError:
            raise
        except Exception as error:
            request_id = context.request_id if isinstance(context, Context) else "-"
            LOG.exception("%s %s.%s failed", request_id, namespace, method)
            raise errors.DesignateError from error
