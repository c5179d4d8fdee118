"""worker.window: so many zones of a pool at once, the others in the order in which they came."""

from designate.worker.scheduling.admission import AdmissionLimit


def window(width=2, max_admission_s=60.0):
    begun = []
    return AdmissionLimit(begun.append, width, max_admission_s), begun


def fill(made, count, pool="pool"):
    return [made.admit(pool, f"z{n}", f"item {n}") for n in range(count)]


def test_what_finds_no_place_waits_for_its_turn():
    made, begun = window()

    assert fill(made, 5) == [True, True, False, False, False]
    assert (len(made), begun) == (3, [])

    made.release("z1")
    made.release("z0")

    assert (len(made), begun) == (1, ["item 2", "item 3"])


def test_who_has_a_place_keeps_it_and_who_waits_keeps_its_turn_with_the_newest_item():
    made, begun = window()
    fill(made, 4)

    assert made.admit("pool", "z0", "news") is True
    assert made.admit("pool", "z2", "newer") is False
    assert (made.queued("z2"), len(made)) == ("newer", 2)

    made.release("z0")

    assert begun == ["newer"]


def test_nobody_passes_those_that_wait():
    made, begun = window(width=1)
    fill(made, 2)
    made.release("z0")

    assert made.admit("pool", "z0", "again") is False
    assert begun == ["item 1"]


def test_who_waits_may_leave():
    made, begun = window()
    fill(made, 4)
    made.release("z2")
    made.release("z2")
    made.release("z0")

    assert (begun, len(made), made.queued("z2")) == (["item 3"], 0, None)


def test_pools_do_not_wait_for_each_other():
    made, begun = window(width=1)
    fill(made, 2)

    assert made.admit("other", "y0", "other item") is True

    made.release("y0")

    assert begun == []


def test_a_zone_that_changes_its_pool_waits_in_the_new_one():
    made, begun = window(width=1)
    fill(made, 2)
    made.admit("other", "y0", "other item")

    assert made.admit("other", "z1", "moved") is False

    made.release("z0")
    assert begun == []
    made.release("y0")
    assert (begun, len(made)) == (["moved"], 0)


def test_a_place_is_given_up_after_a_while():
    made, begun = window(max_admission_s=0.0)
    fill(made, 5)
    made.expire()

    assert (begun, len(made)) == (["item 2", "item 3"], 1)


def test_nothing_is_left_of_zones_that_left():
    made, _ = window()
    fill(made, 5)
    for number in range(5):
        made.release(f"z{number}")

    assert (made._pools, made._pool_of, len(made)) == ({}, {}, 0)
