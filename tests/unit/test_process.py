"""The life of a process, seen from a program that has one part."""

import subprocess
import sys

from tests.support.deadlines import scaled

TIMEOUT_S = 30
PROGRAM = """
import gc, os, signal, threading
from oslo_config import cfg
from oslo_service import opts
from designate.runtime import gc_tuning, process as service

def stop_when_settled():
    while gc.get_freeze_count() <= held:  # some releases begin with a few
        pass
    print(gc.get_freeze_count() > held, gc.get_threshold() == gc_tuning.SERVING)
    os.kill(os.getpid(), signal.SIGTERM)

def start():
    global held
    held = len(gc.get_objects()) // 2
    threading.Thread(target=stop_when_settled, daemon=True).start()

conf = cfg.ConfigOpts()
opts.register_service_opts(conf)
conf([])
build = lambda: service.Process([service.Part(start, lambda: print("stopped"))])
raise SystemExit(service.run(conf, build, 1))
"""


def test_what_a_process_starts_with_is_left_alone_by_the_garbage_collector() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=scaled(TIMEOUT_S),
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (0, "True True\nstopped\n"), ended.stderr
