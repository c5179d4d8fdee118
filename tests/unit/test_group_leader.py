"""messaging: programs whose process group has lost its leader."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.deadlines import scaled, until

PROGRAM = """
import os, sys
from pathlib import Path
from designate import messaging
from tests.support.deadlines import until
until(lambda: not Path(f"/proc/{os.getpgrp()}").exists(), 20)
messaging.require_group_leader()
temporary = Path(sys.argv[1] + ".new")
temporary.write_text(f"{os.getpgrp()} {os.getpid()}")
temporary.replace(sys.argv[1])
"""


def test_a_program_whose_group_leader_has_ended_leads_a_group_of_its_own(tmp_path: Path) -> None:
    found = tmp_path / "found"
    script = ["sh", "-c", '"$@" &', "sh", sys.executable, "-c", PROGRAM, str(found)]
    subprocess.run(
        script,
        start_new_session=True,
        check=True,
        timeout=scaled(20),
        cwd=Path(__file__).parents[2],
    )

    until(found.exists, 20)
    group, own = found.read_text().split()
    assert group == own
