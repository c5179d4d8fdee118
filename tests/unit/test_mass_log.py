"""Hundreds of zones with the same news are one line with a count and samples."""

from __future__ import annotations

import logging

from designate.runtime import mass_log
from designate.runtime.mass_log import MassLog
from tests.support.deadlines import until

LOG = logging.getLogger("tests.mass")


def test_many_are_the_first_and_a_count_with_samples(caplog, monkeypatch):
    monkeypatch.setattr(mass_log, "WINDOW_S", 0.3)
    news = MassLog(LOG, "zone")

    with caplog.at_level(logging.WARNING):
        for number in range(300):
            news.add(logging.WARNING, f"z{number}", f"no longer served: ns1: serial {number}")
        news.add(logging.WARNING, "other", "no longer served: ns2: missing")
        until(lambda: len(caplog.messages) == 3, 10, "the line of the others")
        news.add(logging.WARNING, "later", "no longer served: ns1: serial 5")

    assert caplog.messages == [
        "zone z0: no longer served: ns1: serial 0",
        "zone other: no longer served: ns2: missing",
        "299 more zones within 0 s, such as z1, z2, z3: no longer served: ns1: serial 0",
        "zone later: no longer served: ns1: serial 5",
    ]


def test_information_is_logged_for_each(caplog):
    news = MassLog(LOG, "zone")

    with caplog.at_level(logging.INFO):
        for number in range(3):
            news.add(logging.INFO, f"z{number}", "served")

    assert caplog.messages == [f"zone z{number}: served" for number in range(3)]
