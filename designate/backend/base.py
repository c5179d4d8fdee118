"""How a nameserver learns that a zone exists: the contract of a backend, and how one is loaded.

A backend is a class named in the entry point group `designate.backend`. It never carries record
data: the server transfers that itself from the target's masters, and the worker tells it when.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import stevedore
import stevedore.exception
from oslo_utils import strutils

from designate import errors
from designate.model.pools import Target
from designate.model.zones import ZoneAnnouncement

NAMESPACE = "designate.backend"
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOption:
    """One key of a target's `options` in pools.yaml. Values are texts. secret: never shown."""

    name: str
    meaning: str
    default: str | None = None
    secret: bool = False


NOTIFY_OPTIONS = (
    BackendOption(
        name="host", default="127.0.0.1", meaning="where NOTIFY is sent: address or name"
    ),
    BackendOption(name="port", default="53", meaning="where NOTIFY is sent: port"),
)


class Backend(ABC):
    """One target of one pool. Made once per version of its pool; used by several threads at once.

    All methods are idempotent, bounded in time by the backend's own deadline, and raise BackendError
    (BackendUnavailable: nobody answered) with a text that is fit for an operator's eyes: no secrets in it.
    """

    OPTIONS: ClassVar[tuple[BackendOption, ...]] = NOTIFY_OPTIONS
    """What the backend understands; other options are ignored."""

    PLACE: ClassVar[tuple[str, ...]] = ("host", "port", "view")
    """The options that say which server it is, and which part of it: targets for which they are the same
    have the same zones, whatever their types and pools."""

    NOTIFY: ClassVar[bool] = True
    """Whether the target wants a NOTIFY for every change of a zone."""

    TRIGGERS_TRANSFER: ClassVar[bool] = False
    """Whether `trigger_transfer` makes the server transfer sooner than a NOTIFY alone does."""

    def __init__(self, target: Target) -> None:
        """No I/O here. Raises ConfigurationError for options that cannot be used."""
        self.target = target
        self.key_name: str | None = None
        self._defaults = {option.name: option.default for option in self.OPTIONS}

    def transfer_with(self, key_name: str) -> None:
        """Make the server sign its transfers with a TSIG key that it knows by this name: the one that
        the target's tsigkey_id stands for. At most once, before any call of a method below. Raises
        ConfigurationError for a name that the server cannot be told."""
        self.key_name = key_name

    def option(self, name: str) -> str | None:
        """The target's text for one of OPTIONS, or its default."""
        return self.target.options.get(name) or self._defaults[name]

    def port_option(self, name: str) -> int:
        """Raises ConfigurationError."""
        text = self.option(name) or ""
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name}: {text!r} is not a port"
            )
        return int(text)

    def required_option(self, name: str) -> str:
        """Raises ConfigurationError when the target does not have it."""
        text = self.option(name)
        if not text:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name} is missing"
            )
        return text

    def bool_option(self, name: str) -> bool:
        """YAML's true and false arrive as the texts that their storage makes of them. Raises
        ConfigurationError: a word that is neither, which must not pass for no."""
        try:
            return bool(strutils.bool_from_string(self.option(name), strict=True))
        except ValueError:
            raise errors.ConfigurationError(
                f"target type {self.target.type}: option {name}: {self.option(name)!r} is neither "
                "true nor false"
            ) from None

    def seconds_option(self, name: str) -> float:
        """A time to wait; 0 and what is longer than LONGEST_WAIT_S: that. Raises
        ConfigurationError."""
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
        return min(seconds or LONGEST_WAIT_S, LONGEST_WAIT_S)

    @property
    def place(self) -> tuple[str | None, ...]:
        """The values of PLACE."""
        return tuple(
            self.target.options.get(name) or self._defaults.get(name) for name in self.PLACE
        )

    @property
    def notify_address(self) -> tuple[str, int]:
        return self.option("host") or "", self.port_option("port")

    @abstractmethod
    def create_zone(self, zone: ZoneAnnouncement) -> None:
        """Make the server take the zone from the target's masters. An existing zone is success."""

    @abstractmethod
    def delete_zone(self, zone: ZoneAnnouncement, *, hard_delete: bool) -> None:
        """Make the server forget the zone; hard_delete: and its files. A missing zone is success."""

    def update_zone(self, zone: ZoneAnnouncement) -> None:
        """Make the server's settings for the zone those of the target, if they differ. Called for a
        zone whose nameservers do not follow, not for every change: data travels by transfer."""

    def trigger_transfer(self, zone: ZoneAnnouncement) -> None:
        """Make the server transfer the zone at once.

        Called after a NOTIFY where TRIGGERS_TRANSFER is set; it may fail, since the NOTIFY was sent.
        """


def drivers() -> tuple[str, ...]:
    """The names of all installed backends, sorted."""
    return tuple(sorted(stevedore.ExtensionManager(NAMESPACE).names()))


Factory = Callable[[Target], Backend]


def driver(name: str) -> type[Backend]:
    """The backend of a name. Raises ConfigurationError: there is none."""
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
    """The target's backend. Raises ConfigurationError: unknown type, unusable options."""
    return driver(target.type)(target)
