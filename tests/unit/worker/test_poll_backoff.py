"""worker.backoff: the more zones of a pool are on their way, the less often one of them is looked at."""

from designate.worker.scheduling.poll_backoff import PollBackoff

LOOKS_PER_S = 500


def test_the_pace_is_that_of_the_zones_of_the_pool():
    backoff = PollBackoff(LOOKS_PER_S)
    for number in range(2 * LOOKS_PER_S):
        backoff.enters("pool", f"z{number}")
        backoff.enters("pool", f"z{number}")
    backoff.enters("other", "y")

    assert backoff.pace_s("pool") == 2.0
    assert backoff.pace_s("other") == 1 / LOOKS_PER_S

    for number in range(LOOKS_PER_S):
        backoff.leaves("pool", f"z{number}")
    backoff.leaves("other", "y")
    backoff.leaves("other", "y")

    assert backoff.pace_s("pool") == 1.0
    assert backoff.pace_s("other") == backoff.pace_s("never seen") == 0.0
