"""worker.scheduling.poll_backoff: the more zones converge, the longer the interval of each."""

from designate.worker.scheduling.poll_backoff import PollBackoff

POLLS_PER_S = 500


def test_the_pace_is_that_of_the_zones_of_the_pool():
    backoff = PollBackoff(POLLS_PER_S)
    for number in range(2 * POLLS_PER_S):
        backoff.add("pool", f"z{number}")
        backoff.add("pool", f"z{number}")
    backoff.add("other", "y")

    assert backoff.min_interval_s("pool") == 2.0
    assert backoff.min_interval_s("other") == 1 / POLLS_PER_S

    for number in range(POLLS_PER_S):
        backoff.discard("pool", f"z{number}")
    backoff.discard("other", "y")
    backoff.discard("other", "y")

    assert backoff.min_interval_s("pool") == 1.0
    assert backoff.min_interval_s("other") == backoff.min_interval_s("never seen") == 0.0
