"""What several folders of tests share: how hypothesis runs, and a whole service in this process."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from oslo_config import cfg

from designate.cmd import standalone
from designate.compose import Standalone

# A slow machine is no fault of the code; what fails prints how to repeat it.
hypothesis.settings.register_profile("designate", deadline=None, print_blob=True)
hypothesis.settings.load_profile("designate")


def standalone_conf(state_dir: Path) -> cfg.ConfigOpts:
    """The configuration of a standalone service on free loopback ports."""
    arguments = ["--state-dir", str(state_dir), "--api", "127.0.0.1:0", "--dns", "127.0.0.1:0"]
    return standalone.configuration(standalone.parser().parse_args(arguments))


@pytest.fixture
def conf(tmp_path: Path) -> cfg.ConfigOpts:
    return standalone_conf(tmp_path)


@pytest.fixture
def service(conf: cfg.ConfigOpts) -> Iterator[Standalone]:
    """A running service of one's own, on an empty database."""
    running = Standalone(conf)
    running.migrate()
    running.start()
    yield running
    running.stop()
