"""worker.scheduling.admission: only a limited number of a pool's zones at once, the others in order."""

from designate.worker.scheduling.admission import AdmissionLimit
from tests.support.fakes.clock import ManualClock


def admission_limit(max_admitted=2, max_admission_s=60.0, clock=None):
    begun = []
    clock = clock or ManualClock()
    return AdmissionLimit(begun.append, max_admitted, max_admission_s, clock), begun


def fill(limit, count, pool="pool"):
    return [limit.admit(pool, f"z{n}", f"item {n}") for n in range(count)]


def test_what_finds_no_place_waits_for_its_turn():
    limit, begun = admission_limit()

    assert fill(limit, 5) == [True, True, False, False, False]
    assert (len(limit), begun) == (3, [])

    limit.release("z1")
    limit.release("z0")

    assert (len(limit), begun) == (1, ["item 2", "item 3"])


def test_who_has_a_place_keeps_it_and_who_waits_keeps_its_turn_with_the_newest_item():
    limit, begun = admission_limit()
    fill(limit, 4)

    assert limit.admit("pool", "z0", "news") is True
    assert limit.admit("pool", "z2", "newer") is False
    assert (limit.queued("z2"), len(limit)) == ("newer", 2)

    limit.release("z0")

    assert begun == ["newer"]


def test_nobody_passes_those_that_wait():
    limit, begun = admission_limit(max_admitted=1)
    fill(limit, 2)
    limit.release("z0")

    assert limit.admit("pool", "z0", "again") is False
    assert begun == ["item 1"]


def test_who_waits_may_leave():
    limit, begun = admission_limit()
    fill(limit, 4)
    limit.release("z2")
    limit.release("z2")
    limit.release("z0")

    assert (begun, len(limit), limit.queued("z2")) == (["item 3"], 0, None)


def test_pools_do_not_wait_for_each_other():
    limit, begun = admission_limit(max_admitted=1)
    fill(limit, 2)

    assert limit.admit("other", "y0", "other item") is True

    limit.release("y0")

    assert begun == []


def test_a_zone_that_changes_its_pool_waits_in_the_new_one():
    limit, begun = admission_limit(max_admitted=1)
    fill(limit, 2)
    limit.admit("other", "y0", "other item")

    assert limit.admit("other", "z1", "moved") is False

    limit.release("z0")
    assert begun == []
    limit.release("y0")
    assert (begun, len(limit)) == (["moved"], 0)


def test_a_place_is_given_up_after_a_while():
    clock = ManualClock()
    limit, begun = admission_limit(max_admission_s=5.0, clock=clock)
    fill(limit, 5)
    clock.advance(4)
    limit.expire()
    early = list(begun)
    clock.advance(1)
    limit.expire()

    assert early == []
    assert (begun, len(limit)) == (["item 2", "item 3"], 1)


def test_nothing_is_left_of_zones_that_left():
    limit, _ = admission_limit()
    fill(limit, 5)
    for number in range(5):
        limit.release(f"z{number}")

    assert (limit._pools, limit._pool_of, len(limit)) == ({}, {}, 0)
