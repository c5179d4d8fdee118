"""Cooperative yields of long computations."""

import os
import subprocess
import sys

import pytest

from designate.runtime import concurrency
from designate.runtime.cooperative import YIELD_EVERY, yielding
from tests.support.deadlines import scaled

BESIDE = """
from designate.runtime import concurrency
concurrency.patch()
import threading, time
from designate.runtime.cooperative import YIELD_EVERY, yielding
turns = 0
def other():
    global turns
    while True:
        turns += 1
        time.sleep(0)
threading.Thread(target=other, daemon=True).start()
for _ in yielding(range(10 * YIELD_EVERY)):
    pass
print(turns)
"""


@pytest.mark.parametrize("count", [0, 1, YIELD_EVERY - 1, YIELD_EVERY, 2 * YIELD_EVERY + 1])
def test_every_item_comes_once_and_in_order(count: int) -> None:
    assert list(yielding(range(count))) == list(range(count))


def test_a_green_thread_has_its_turns_beside_a_computation() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BESIDE],
        env={**os.environ, concurrency.VARIABLE: "eventlet"},
        capture_output=True,
        text=True,
        timeout=scaled(60),
    )

    assert int(done.stdout) >= 10, done.stderr
