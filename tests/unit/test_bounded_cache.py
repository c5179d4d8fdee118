"""The bounded cache of every module."""

from designate.runtime.bounded_cache import BoundedCache
from tests.support.fakes.clock import ManualClock


def test_least_recently_used_value_is_evicted():
    cache = BoundedCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")

    cache.put("c", 3)

    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)


def test_sizes_are_bounded_in_sum():
    cache = BoundedCache(10, size_of=len)
    cache.put("a", "12345")
    cache.put("b", "123456")

    assert (cache.get("a"), cache.get("b")) == (None, "123456")


def test_value_over_the_bound_is_not_stored_and_replaces_nothing_stale():
    cache = BoundedCache(3, size_of=len)
    cache.put("a", "123")

    cache.put("a", "1234")

    assert cache.get("a") is None


def test_value_is_gone_after_its_time_to_live():
    clock = ManualClock()
    cache = BoundedCache(2, ttl_s=10.0, clock=clock)
    cache.put("a", 1)

    clock.advance(9.9)
    before = cache.get("a")
    clock.advance(0.2)

    assert (before, cache.get("a")) == (1, None)


def test_time_to_live_of_zero_stores_nothing():
    cache = BoundedCache(2, ttl_s=0.0)
    cache.put("a", 1)

    assert cache.get("a") is None
