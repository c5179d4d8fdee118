"""The composition root."""

import subprocess
import sys

from tests.support.deadlines import scaled

# What only some processes, or only the standalone service, are made of.
PARTS = [
    "designate.api",
    "designate.backend",
    "designate.central",
    "designate.mdns",
    "designate.pools_yaml",
    "designate.rpc.local",
    "designate.rpc.oslo",
    "designate.storage",
    "designate.worker",
    "yaml",
]
PROGRAM = "import designate.processes, sys; print(*sys.modules, sep='\\n')"


def test_the_composition_root_alone_loads_no_part() -> None:
    """A daemon holds in memory what it imports, therefore it imports its own parts only."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=scaled(30),
        check=True,
    )

    assert set(PARTS) & set(ended.stdout.split()) == set()
