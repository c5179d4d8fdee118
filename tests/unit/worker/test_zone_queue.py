"""worker.scheduling.zone_queue: one entry per zone, bounded, the newest change wins."""

import threading

import pytest

from designate.model.zones import Action, newest
from designate.worker.scheduling.zone_queue import ZoneQueue
from tests.support.deadlines import scaled
from tests.support.factories.worker import change


def test_of_two_changes_the_newer_revision_is_kept_in_the_place_of_the_older():
    queue = ZoneQueue()
    queue.put(change(1, name="a."))
    queue.put(change(1, name="b."))
    queue.put(change(3, name="a."))
    queue.put(change(2, name="a."))

    taken = [queue.take(0)[0], queue.take(0)[0]]

    assert [(t.name, t.revision) for t in taken] == [("a.", 3), ("b.", 1)]
    assert queue.take(0) is None


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_nothing_takes_a_deletion_back(action):
    deletion = change(4, Action.DELETE)

    assert newest(deletion, change(5, action)) == deletion
    assert newest(change(5, action), deletion) == deletion


def test_new_content_takes_the_withdrawal_of_expired_content_back():
    withdrawal, content = change(4, Action.DELETE, withdrawn=True), change(5)

    assert newest(withdrawal, content) == content
    assert newest(content, withdrawal) == content
    assert newest(change(4), withdrawal) == withdrawal


def test_a_deletion_is_more_than_a_withdrawal():
    withdrawal, deletion = change(4, Action.DELETE, withdrawn=True), change(4, Action.DELETE)

    assert newest(withdrawal, deletion) == deletion
    assert newest(deletion, withdrawal) == deletion


def test_a_hard_deletion_stays_hard():
    merged = newest(change(4, Action.DELETE, hard_delete=True), change(5, Action.DELETE))

    assert (merged.revision, merged.hard_delete) == (5, True)


def test_while_a_zone_is_published_its_newest_change_waits():
    queue = ZoneQueue()
    queue.put(change(1))
    first, _ = queue.take(0)
    queue.put(change(2))
    queue.put(change(3))
    meanwhile = queue.take(0)
    queue.done(first.zone_id)

    assert meanwhile is None
    assert queue.take(0)[0].revision == 3


def test_a_full_mailbox_drops_other_zones_and_still_merges_its_own():
    queue = ZoneQueue(max_zones=2)
    accepted = [queue.put(change(1, name=name)) for name in ("a.", "b.")]
    dropped = queue.put(change(1, name="c."))
    merged = queue.put(change(2, name="b."))

    assert (accepted, dropped, merged) == ([True, True], False, True)
    assert (queue.dropped, len(queue)) == (1, 2)
    assert [queue.take(0)[0].revision, queue.take(0)[0].revision] == [1, 2]


def test_changes_that_wait_for_their_publisher_count_against_the_bound():
    queue = ZoneQueue(max_zones=1)
    queue.put(change(1, name="a."))
    queue.take(0)
    queue.put(change(2, name="a."))

    assert queue.put(change(1, name="b.")) is False


def test_closing_wakes_the_publishers_and_refuses_more():
    queue = ZoneQueue()
    got = []
    thread = threading.Thread(target=lambda: got.append(queue.take(30)))
    thread.start()
    queue.close()
    thread.join(scaled(5))

    assert got == [None]
    assert queue.put(change(1)) is False


def test_new_changes_pass_what_the_sweep_hands_out_which_is_not_forgotten():
    queue = ZoneQueue()
    for number in range(100):
        queue.put(change(1, name=f"old{number}.", recovery=True))
    for number in range(20):
        queue.put(change(1, name=f"new{number}."))

    names = [queue.take(0)[0].name for _ in range(22)]

    assert names == [
        *(f"new{n}." for n in range(8)), "old0.",
        *(f"new{n}." for n in range(8, 16)), "old1.",
        *(f"new{n}." for n in range(16, 20)),
    ]  # fmt: skip


def test_a_new_change_of_a_zone_that_the_sweep_handed_out_is_a_new_one():
    queue = ZoneQueue()
    queue.put(change(1, name="a.", recovery=True))
    queue.put(change(1, name="b.", recovery=True))
    queue.put(change(2, name="b."))
    queue.put(change(2, name="b.", recovery=True))
    taken = [queue.take(0)[0] for _ in range(2)]

    assert [(t.name, t.revision, t.again) for t in taken] == [("b.", 2, False), ("a.", 1, True)]


def test_what_the_sweep_hands_out_fills_half_of_the_room():
    queue = ZoneQueue(max_zones=4)
    put = [queue.put(change(1, name=f"old{n}.", recovery=True)) for n in range(3)]
    put += [queue.put(change(1, name=f"new{n}.")) for n in range(3)]

    assert put == [True, True, False, True, True, False]
    assert queue.dropped == 2
