"""Membership by a coordination service, through tooz, if [coordination] backend_url is set.

tooz knows the running members but counts no generations, so central cannot refuse the work of a
producer that lost its shards while it was suspended. That is harmless: tasks claim their work row by
row in the database, so a zone goes to one of two producers, and the shards of a producer that could
not renew its membership expire before it asks again.
"""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

import tooz
from oslo_config import cfg
from stevedore.exception import NoMatches
from tooz import coordination

from designate.model.shards import PRODUCERS, Shards, share
from designate.producer.membership import GROUP, ExpiringShards, member_id
from designate.runtime.periodic import Periodic

LOG = logging.getLogger(__name__)

TOOZ_GROUP = PRODUCERS.encode()
REPLY_TIMEOUT_S = 10.0
# The extra of this project that has the client of each kind of service.
EXTRAS = {
    "kazoo": "zookeeper",
    "memcached": "memcached",
    "redis": "redis",
    "rediss": "redis",
    "zookeeper": "zookeeper",
}


class CoordinatedMembership:
    """Membership by tooz; uses one connection from one thread at a time."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        group = conf[GROUP]
        self._url = str(group.backend_url)
        self._member = member_id(conf).encode()
        self._coordinator: Any = None
        # Shorter than the lifetime that the others see, with room for one failed poll.
        self._current = ExpiringShards(2.5 * group.run_watchers_interval)
        self._timer = Periodic("membership", group.run_watchers_interval, self._poll)
        self.shards = self._current.shards
        self.wait = self._current.wait
        self.close = self._current.close

    @property
    def supports_groups(self) -> bool:
        """Whether the driver has groups. Raises ValueError if it cannot be loaded."""
        try:
            driver = type(self._make())
        except (ImportError, NoMatches, tooz.ToozError) as error:
            # Names the driver or its missing library, but not the URL, which may contain a password.
            raise ValueError(
                f"[coordination] backend_url cannot be used: {error}{_extra(self._url, error)}"
            ) from None
        return bool(driver.join_group is not coordination.CoordinationDriver.join_group)

    def start(self) -> None:
        """Join the group and poll its members periodically."""
        self._timer.start()

    def stop(self) -> None:
        """Leave the group."""
        self._timer.stop()
        if self._coordinator is not None:
            self._leave()

    def refresh_soon(self) -> None:
        """Poll the members soon."""
        self._timer.run_soon()

    def _make(self) -> Any:
        return coordination.get_coordinator(self._url, self._member)

    def _poll(self) -> None:
        asked_at = monotonic()
        try:
            found = self._members()
        except tooz.ToozError as error:
            # The text may contain the URL, and that a password.
            LOG.warning("coordination service: request failed: %s", type(error).__name__)
            self._leave()
            return
        own = share(found.index(self._member), len(found))
        self._current.set(Shards(first=own.first, last=own.last), asked_at)

    def _members(self) -> list[bytes]:
        """Return the sorted members, including this producer."""
        if self._coordinator is None:
            coordinator = self._make()
            coordinator.start(start_heart=True)
            self._coordinator = coordinator
        group = self._coordinator
        found = _get_members(group)
        if self._member not in found:
            # At the first poll, or after a suspension longer than the lifetime of a member.
            try:
                group.create_group(TOOZ_GROUP).get(timeout=REPLY_TIMEOUT_S)
            except coordination.GroupAlreadyExist:
                LOG.debug("coordination service: the group exists")
            group.heartbeat()
            try:
                group.join_group(TOOZ_GROUP).get(timeout=REPLY_TIMEOUT_S)
            except coordination.MemberAlreadyExist:
                LOG.debug("coordination service: already a member")
            found = _get_members(group) | {self._member}
        return sorted(found)

    def _leave(self) -> None:
        leaving, self._coordinator = self._coordinator, None
        if leaving is None:
            return
        try:
            leaving.leave_group(TOOZ_GROUP).get(timeout=REPLY_TIMEOUT_S)
        except tooz.ToozError:
            LOG.info("coordination service: could not leave, the membership will expire")
        try:
            leaving.stop()
        except tooz.ToozError:
            LOG.debug("coordination service: unavailable while closing")


def _get_members(coordinator: Any) -> set[bytes]:
    try:
        return set(coordinator.get_members(TOOZ_GROUP).get(timeout=REPLY_TIMEOUT_S))
    except coordination.GroupNotCreated:
        return set()


def _extra(url: str, error: Exception) -> str:
    """Return how to install what the driver of the URL lacks; "" where that is not the error."""
    extra = EXTRAS.get(url.partition(":")[0].partition("+")[0])
    missing = isinstance(error, ImportError) or "No module named" in str(error)
    return f"; pip install designate[{extra}]" if extra and missing else ""
