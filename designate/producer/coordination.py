"""Membership by a coordination service, through tooz, where [coordination] backend_url names one.

tooz tells who lives but counts no generations, so central cannot refuse the work of a producer that
lost its shards while it was stopped. That is harmless: whatever a task does is claimed row by row in
the database, so a zone is given to one of two producers, and a producer that could not renew its
membership for its lifetime takes its shards for unknown before it asks again.
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
from designate.producer.membership import GROUP, Place, member_id
from designate.runtime.periodic import Periodic

LOG = logging.getLogger(__name__)

TOOZ_GROUP = PRODUCERS.encode()
ANSWER_S = 10.0


class Coordinated:
    """See membership.Membership. One connection, used by one thread at a time."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        group = conf[GROUP]
        self._url = str(group.backend_url)
        self._member = member_id(conf).encode()
        self._coordinator: Any = None
        # Shorter than the lifetime that the others see, and with room for a look that fails.
        self._place = Place(2.5 * group.run_watchers_interval)
        self._timer = Periodic("membership", group.run_watchers_interval, self._look)
        self.shards = self._place.shards
        self.wait = self._place.wait
        self.close = self._place.close

    @property
    def knows_groups(self) -> bool:
        """ValueError: the driver of the service cannot be loaded."""
        try:
            driver = type(self._make())
        except (ImportError, NoMatches, tooz.ToozError) as error:
            # Names the driver or its missing library; the URL, which may hold a password, is not in it.
            raise ValueError(f"[coordination] backend_url cannot be used: {error}") from None
        return bool(driver.join_group is not coordination.CoordinationDriver.join_group)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        if self._coordinator is not None:
            self._leave()

    def doubt(self) -> None:
        self._timer.hurry()

    def _make(self) -> Any:
        return coordination.get_coordinator(self._url, self._member)

    def _look(self) -> None:
        asked_at = monotonic()
        try:
            found = self._members()
        except tooz.ToozError as error:
            # Its text may hold the URL, which may hold a password.
            LOG.warning("the coordination service failed: %s", type(error).__name__)
            self._leave()
            return
        place = share(found.index(self._member), len(found))
        self._place.set(Shards(first=place.first, last=place.last), asked_at)

    def _members(self) -> list[bytes]:
        """Everybody in order, this producer among them."""
        if self._coordinator is None:
            coordinator = self._make()
            coordinator.start(start_heart=True)
            self._coordinator = coordinator
        group = self._coordinator
        found = _ask(group)
        if self._member not in found:
            # The first time, or after a stop that was longer than the others wait.
            try:
                group.create_group(TOOZ_GROUP).get(timeout=ANSWER_S)
            except coordination.GroupAlreadyExist:
                LOG.debug("the group exists")
            group.heartbeat()
            try:
                group.join_group(TOOZ_GROUP).get(timeout=ANSWER_S)
            except coordination.MemberAlreadyExist:
                LOG.debug("the group knows this producer")
            found = _ask(group) | {self._member}
        return sorted(found)

    def _leave(self) -> None:
        leaving, self._coordinator = self._coordinator, None
        if leaving is None:
            return
        try:
            leaving.leave_group(TOOZ_GROUP).get(timeout=ANSWER_S)
        except tooz.ToozError:
            LOG.info("the membership was left to run out")
        try:
            leaving.stop()
        except tooz.ToozError:
            LOG.debug("the coordination service was away")


def _ask(coordinator: Any) -> set[bytes]:
    try:
        return set(coordinator.get_members(TOOZ_GROUP).get(timeout=ANSWER_S))
    except coordination.GroupNotCreated:
        return set()
