"""designate-rootwrap: refuses every command, since no part of the service runs one as root.

Tools that install the service allow this program in sudo's rules; so it must exist and be harmless.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Say that nothing is run as root; return 1."""
    print("designate-rootwrap: this service runs no command as root", file=sys.stderr)
    return 1
