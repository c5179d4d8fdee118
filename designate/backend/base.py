"""The interface of backends, which create and delete zones on nameservers, and their loading.

A backend is a class named in the entry point group `designate.backend`. It never carries record
data: the server transfers zones from the target's masters, and the worker sends it NOTIFY.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import stevedore
import stevedore.exception
from oslo_utils import strutils

from designate import errors
from designate.backend import primaries
from designate.model.pools import Target
from designate.model.zones import PrimaryAddress, ZoneAnnouncement

NAMESPACE = "designate.backend"
MAX_LISTING_BYTES = 1 << 28
MAX_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOption:
    """One key of a target's `options` in pools.yaml; values are strings, and secret ones are masked."""

    name: str
    meaning: str
    default: str | None = None
    secret: bool = False


NOTIFY_OPTIONS = (
    BackendOption(
        name="host", default="127.0.0.1", meaning="address or name that NOTIFY is sent to"
    ),
    BackendOption(name="port", default="53", meaning="port that NOTIFY is sent to"),
)

ADOPT_OPTION = BackendOption(
    name="adopt",
    default="false",
    meaning="whether a new zone replaces a zone of others that has its name on the server",
)
OWNERSHIP_OPTIONS = (
    BackendOption(
        name="former_masters",
        meaning="earlier masters of the target, HOST:PORT separated by commas: secondary zones of these "
        "are this service's too, and are given the target's masters",
    ),
    ADOPT_OPTION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundZone:
    """A zone that a server has.

    Attributes:
        name: with the trailing dot.
        kind: what it is there, for people, such as "type primary".
        is_ours: it is this service's, and may be changed and deleted.
    """

    name: str
    kind: str
    is_ours: bool


class Backend(ABC):
    """One target of a pool, made once per version of the pool and used by several threads.

    All methods are idempotent and bounded in time by the backend's own deadline. They raise
    BackendError (BackendUnavailable when the server does not respond) with a text without secrets.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = NOTIFY_OPTIONS
    """The supported options; others are ignored."""

    IDENTITY: ClassVar[tuple[str, ...]] = ("host", "port", "view")
    """The options that identify the server and its part: targets with equal values of them have the same
    zones, whatever their types and pools."""

    NOTIFY: ClassVar[bool] = True
    """Whether the target needs a NOTIFY for every change of a zone."""

    REWRITES_ANSWERS: ClassVar[bool] = False
    """Whether the servers may serve other records than they transferred, so that only serials are compared.
    Examples are an SOA of their own, and addresses that depend on the client."""

    TRIGGERS_TRANSFER: ClassVar[bool] = False
    """Whether `trigger_transfer` makes the server transfer sooner than a NOTIFY alone does."""

    RECONCILES: ClassVar[bool] = False
    """Whether `reconcile` does anything."""

    INSPECTS: ClassVar[bool] = False
    """Whether the server tells of a zone that it has, so that `inspect` may be called."""

    LISTS_ZONES: ClassVar[bool] = False
    """Whether the server lists its zones, so that `find_zones` may be called."""

    def __init__(self, target: Target) -> None:
        """Read the options, without I/O. Raises ConfigurationError for invalid ones."""
        self.target = target
        self.key_name: str | None = None
        self._defaults = {option.name: option.default for option in self.OPTIONS}
        self._former = self._addresses_option("former_masters")
        self.adopts = "adopt" in self._defaults and self.bool_option("adopt")

    def transfer_with(self, key_name: str) -> None:
        """Make the server sign its transfers with the TSIG key that it has under this name.

        It is the key of the target's tsigkey_id. Called at most once, before any method below.

        Raises:
            ConfigurationError: the server cannot use a key of this name.
        """
        self.key_name = key_name

    def option(self, name: str) -> str | None:
        """Return the target's value of one of OPTIONS, or its default."""
        return self.target.options.get(name) or self._defaults[name]

    def port_option(self, name: str) -> int:
        """Return the value of a port. Raises ConfigurationError for anything else."""
        text = self.option(name) or ""
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name}: {text!r} is not a port"
            )
        return int(text)

    def required_option(self, name: str) -> str:
        """Return the value of an option. Raises ConfigurationError when the target lacks it."""
        text = self.option(name)
        if not text:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name} is missing"
            )
        return text

    def bool_option(self, name: str) -> bool:
        """Return the value of a boolean. Raises ConfigurationError for a word that is neither."""
        try:
            return bool(strutils.bool_from_string(self.option(name), strict=True))
        except ValueError:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name}: {self.option(name)!r} is neither "
                "true nor false"
            ) from None

    def seconds_option(self, name: str) -> float:
        """Return a timeout in seconds; 0 and anything longer mean MAX_WAIT_S.

        Raises:
            ConfigurationError: the value is not a number of seconds.
        """
        text = self.option(name) or ""
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name}: {text!r} is not a number of "
                "seconds"
            )
        return min(seconds or MAX_WAIT_S, MAX_WAIT_S)

    def _addresses_option(self, name: str) -> tuple[PrimaryAddress, ...]:
        text = self.option(name) if name in self._defaults else None
        try:
            return primaries.parse(text or "")
        except ValueError as error:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name}: {str(error)!r} is not HOST:PORT"
            ) from None

    def follows_ours(self, masters: Iterable[primaries.Address]) -> bool:
        """Return whether a secondary zone with these masters is this service's.

        It is if each of them is a master of the target or one of its former masters.
        """
        found = set(masters)
        return bool(found) and found <= primaries.known(self.target, self._former)

    def follows_our_hosts(self, hosts: Iterable[str]) -> bool:
        """Return the same as `follows_ours` for masters whose ports the server does not have."""
        found = set(hosts)
        return bool(found) and found <= {
            host for host, _ in primaries.known(self.target, self._former)
        }

    def foreign(self, server: str, kind: str, *, can_adopt: bool = True) -> errors.ForeignZone:
        """Return the error for a zone on the server that is not this service's."""
        remedy = "remove it there" + (" or set the target option adopt" if can_adopt else "")
        return errors.ForeignZone(
            f"{server}: a zone of this name exists there that is not ours ({kind}); {remedy}"
        )

    @property
    def identity(self) -> tuple[str | None, ...]:
        """The values of the options in IDENTITY."""
        return tuple(
            self.target.options.get(name) or self._defaults.get(name) for name in self.IDENTITY
        )

    @property
    def notify_address(self) -> tuple[str, int]:
        """Host and port that NOTIFY is sent to."""
        return self.option("host") or "", self.port_option("port")

    @abstractmethod
    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """Make the server transfer the zone from the target's masters.

        An existing zone that is ours is repaired in place.

        Raises:
            ForeignZone: there is another zone of the name, which stays as it is unless `adopts` is set.
        """

    @abstractmethod
    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """Remove the zone, and its files if hard_delete is set. A missing zone is success.

        Raises:
            ForeignZone: only a zone of others has the name there, which stays.
        """

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Bring the server's settings for the zone to those of the target.

        Called when the nameservers of a zone do not follow, not for every change. Raises what
        `create_zone` raises.
        """

    def inspect(
        self,
        zone: ZoneAnnouncement,  # noqa: ARG002 - part of the interface
    ) -> FoundZone | None:
        """Return the zone of this name on the server, without changing it; None if there is none.

        Called where INSPECTS is set.
        """
        return None

    def reconcile(self, zone: ZoneAnnouncement) -> None:
        """Bring a zone that is served to options that an existing zone does not follow by itself.

        Called for every zone from time to time where RECONCILES is set.
        """

    def find_zones(
        self,
        timeout_s: float,  # noqa: ARG002 - part of the interface
    ) -> Iterable[FoundZone]:
        """Return all zones of the server, whoever they belong to, within timeout_s.

        Called where LISTS_ZONES is set.
        """
        return ()

    def trigger_transfer(self, zone: ZoneAnnouncement) -> None:
        """Make the server transfer the zone at once.

        Called after a NOTIFY where TRIGGERS_TRANSFER is set; it may fail, since the NOTIFY was sent.
        """


def drivers() -> tuple[str, ...]:
    """Return the names of all installed backends, sorted."""
    return tuple(sorted(stevedore.ExtensionManager(NAMESPACE).names()))


Factory = Callable[[Target], Backend]


def driver(name: str) -> type[Backend]:
    """Return the backend of a name. Raises ConfigurationError when there is none."""
    try:
        manager: stevedore.DriverManager[type[Backend]] = stevedore.DriverManager(NAMESPACE, name)
    except stevedore.exception.NoMatches:
        raise errors.ConfigurationError(
            f"Unable to find designate backend driver type: {name}"
        ) from None
    found: type[Backend] = manager.driver
    if not issubclass(found, Backend):
        raise errors.ConfigurationError(f"backend {name} is not a designate backend")
    return found


def load(target: Target) -> Backend:
    """Make the target's backend. Raises ConfigurationError for an unknown type or invalid options."""
    return driver(target.type)(target)
