"""worker.crowd: the more zones of a pool are on their way, the less often one of them is looked at."""

from designate.worker.scheduling.poll_backoff import Crowd

LOOKS_PER_S = 500


def test_the_pace_is_that_of_the_zones_of_the_pool():
    crowd = Crowd(LOOKS_PER_S)
    for number in range(2 * LOOKS_PER_S):
        crowd.enters("pool", f"z{number}")
        crowd.enters("pool", f"z{number}")
    crowd.enters("other", "y")

    assert crowd.pace_s("pool") == 2.0
    assert crowd.pace_s("other") == 1 / LOOKS_PER_S

    for number in range(LOOKS_PER_S):
        crowd.leaves("pool", f"z{number}")
    crowd.leaves("other", "y")
    crowd.leaves("other", "y")

    assert crowd.pace_s("pool") == 1.0
    assert crowd.pace_s("other") == crowd.pace_s("never seen") == 0.0
