"""The program that tests.support.servers.keystone runs: creates a Keystone in a folder and serves it.

    python -m tests.support.servers.keystone_host FOLDER PORT PASSWORD

FOLDER has a keystone.conf. There is one process, because importing Keystone takes most of the time. Its
management commands run in forks, because each needs the library's global configuration for itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from cheroot import wsgi
from keystone.cmd import cli

THREADS = 4
INTERFACES = ("public", "internal", "admin")


def manage(folder: Path, *arguments: str) -> None:
    """Run one command of keystone-manage."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            cli.main(
                argv=[
                    "keystone-manage", "--config-file", str(folder / "keystone.conf"), *arguments
                ]
            )  # fmt: skip
            status = 0
        finally:
            os._exit(status)
    _, code = os.waitpid(child, 0)
    if code != 0:
        sys.exit(f"keystone-manage {arguments[0]} failed")


def bootstrap(folder: Path, port: int, password: str) -> None:
    """Create the schema, the keys, and an administrator with the usual roles."""
    manage(folder, "db_sync")
    manage(folder, "fernet_setup", "--keystone-user", str(os.getuid()),
           "--keystone-group", str(os.getgid()))  # fmt: skip
    urls = [f"--bootstrap-{interface}-url=http://127.0.0.1:{port}/v3" for interface in INTERFACES]
    manage(folder, "bootstrap", "--bootstrap-password", password,
           "--bootstrap-region-id", "RegionOne", *urls)  # fmt: skip


def count_requests(app: Any, path: Path) -> Any:
    """Return the application with a byte written to a file for each request."""
    file = path.open("ab", buffering=0)

    def call(environ: Any, start_response: Any) -> Any:
        file.write(b".")
        return app(environ, start_response)

    return call


def main() -> None:
    folder, port, password = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if not (folder / "keystone.sqlite").exists():
        bootstrap(folder, port, password)
    # Keystone reads the command line too, and does not know this program's arguments.
    sys.argv[1:] = []
    os.environ["OS_KEYSTONE_CONFIG_DIR"] = str(folder)
    from keystone.server.wsgi import initialize_public_application

    app = count_requests(initialize_public_application(), folder / "requests")
    server = wsgi.Server(("127.0.0.1", port), app, numthreads=THREADS, max=THREADS)
    server.safe_start()


if __name__ == "__main__":
    main()
