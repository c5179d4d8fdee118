"""Which back ends' servers are not asked for data: the operator's guide and the code say the same."""

import re
from pathlib import Path

from designate.backend import base

GUIDE = Path(__file__).parents[3] / "doc" / "nameservers.md"


def test_the_guide_lists_the_back_ends_whose_servers_rewrite_answers():
    listed = re.search(r"answers that depend on the client:\n(.*?)\.", GUIDE.read_text(), re.DOTALL)
    rewriting = [name for name in base.drivers() if base.driver(name).REWRITES_ANSWERS]

    assert re.findall(r"`(\w+)`", listed[1]) == rewriting
