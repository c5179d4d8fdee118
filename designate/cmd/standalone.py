"""designate-standalone: the whole service in one process, in the foreground, for one machine.

For a first try, for development and for small sites: SQLite, no broker, no Keystone. Large modules
are imported after the arguments were parsed, so that a mistyped one is reported quickly.
"""

from __future__ import annotations

from designate.runtime import concurrency, gc_tuning

gc_tuning.starting()
concurrency.patch()  # before any other import

import argparse  # noqa: E402
import ipaddress  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

from oslo_config import cfg  # noqa: E402

from designate import config, errors  # noqa: E402
from designate.runtime import log_limits, log_records, private_files, process  # noqa: E402

if TYPE_CHECKING:
    from designate.processes import Standalone

STATE_DIR = ".standalone"
API = "127.0.0.1:9001"
DNS = "127.0.0.1:5354"

BANNER = """\
Designate is running.

  API    {api}/v2  ({who})
  DNS    {dns}  (UDP and TCP)
  state  {state}

Create a zone and a record in it:

  ZONE=$(curl -s {api}/v2/zones -H 'Content-Type: application/json' \\
    -d '{{"name": "example.org.", "email": "admin@example.org"}}' |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
  curl -s {api}/v2/zones/$ZONE/recordsets -H 'Content-Type: application/json' \\
    -d '{{"name": "www.example.org.", "type": "A", "records": ["192.0.2.1"]}}'

Ask for it:

  dig @{dns_host} -p {dns_port} www.example.org. A +short

Ctrl-C stops the service; what was created stays.
"""


class StartupError(Exception):
    """The service cannot run with this configuration; the text is the reason."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM.

    Returns:
        The exit status: 0 after an orderly shutdown (with --demo --exit: every answer was right), 1
        if it could not start or an answer was wrong, 2 for wrong arguments.
    """
    arguments = parser().parse_args(argv)
    if arguments.exit and not arguments.demo:
        parser().error("--exit needs --demo")
    _log_to_the_terminal(arguments.debug)
    try:
        return _run(arguments)
    except (StartupError, errors.DesignateError) as error:
        text = getattr(error, "message", None) or str(error)
    except OSError as error:
        text = str(error)
    print(f"designate-standalone: {text}", file=sys.stderr)
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="designate-standalone", description=__doc__)
    add = parser.add_argument
    add("--state-dir", default=STATE_DIR, help=f"folder of the database (default: {STATE_DIR})")
    add("--api", type=_address, metavar="HOST:PORT", help=f"address of the API (default: {API})")
    add(
        "--dns",
        type=_address,
        metavar="HOST:PORT",
        help=f"address of the DNS server (default: {DNS})",
    )
    add("--pools", metavar="FILE", help="a pools.yaml to apply (default: this process serves DNS)")
    add("--config-file", metavar="FILE", help="a designate.conf; the options above override it")
    add("--demo", action="store_true", help="create example.com., query it and show both sides")
    add(
        "--exit",
        action="store_true",
        help="with --demo: exit afterwards, with status 0 if all was right",
    )
    add("--debug", action="store_true", help="log every step to stderr")
    add(
        "--allow-remote-noauth",
        action="store_true",
        help="serve the unauthenticated API on an address that other machines can reach",
    )
    return parser


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return text


def _log_to_the_terminal(debug: bool) -> None:
    log_records.install()
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    if debug:
        logging.getLogger("designate").setLevel(logging.DEBUG)
    requests = logging.StreamHandler(sys.stdout)
    requests.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    access = logging.getLogger("designate.api.access")
    access.setLevel(logging.INFO)
    access.propagate = False
    access.addHandler(requests)


def configuration(arguments: argparse.Namespace) -> cfg.ConfigOpts:
    """Return the configuration: arguments override the file, which overrides standalone defaults.

    Raises:
        StartupError: the file is invalid, or other machines could reach the unauthenticated API.
    """
    conf = cfg.ConfigOpts()
    config.register(conf)
    database = Path(arguments.state_dir).absolute() / "designate.sqlite"
    for group, name, value in (
        ("storage:sqlalchemy", "connection", f"sqlite:///{database}"),
        ("service:api", "auth_strategy", "noauth"),
        ("service:api", "listen", [API]),
        ("service:mdns", "listen", [DNS]),
    ):
        conf.set_default(name, value, group)
    files = [arguments.config_file] if arguments.config_file else []
    try:
        conf([], project="designate", default_config_files=files, default_config_dirs=[])
        for group, address in (("service:api", arguments.api), ("service:mdns", arguments.dns)):
            if address:
                conf.set_override("listen", [address], group)
        config.check_values(conf)
        _require_loopback(conf, arguments.allow_remote_noauth)
        if conf["service:api"].auth_strategy == "noauth" and not arguments.allow_remote_noauth:
            # Its clients are on this machine and need no detour to connect to it.
            loopback = ["127.0.0.0/8", "::1/128"]
            conf.set_default("primary_allowed_networks", loopback, "service:worker")
    except (cfg.Error, ValueError) as error:
        raise StartupError(str(error)) from None
    return conf


def _require_loopback(conf: cfg.ConfigOpts, remote_allowed: bool) -> None:
    api = conf["service:api"]
    if api.auth_strategy != "noauth" or remote_allowed:
        return
    for listen in api.listen:
        host = listen.rpartition(":")[0].strip("[]")
        try:
            found = {str(entry[4][0]) for entry in socket.getaddrinfo(host or "0.0.0.0", None)}  # noqa: S104 - what an empty host means
        except OSError as error:
            raise StartupError(f"{listen}: {error.strerror}") from None
        if not all(ipaddress.ip_address(address).is_loopback for address in found):
            raise StartupError(
                f"{listen}: the API has no authentication and this address is not loopback; "
                "use --allow-remote-noauth to serve it anyway"
            )


def _run(arguments: argparse.Namespace) -> int:
    conf = configuration(arguments)
    lock = _take_state_dir(Path(arguments.state_dir))
    from designate.cmd import reports
    from designate.processes import Standalone

    reports.write_on_request(conf)
    log_limits.install()
    process.raise_file_limit()
    stopping = threading.Event()

    def stop(_signal: int, _frame: object) -> None:
        stopping.set()
        # A second signal ends the process without waiting for running requests.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    service = Standalone(conf, pools_file=arguments.pools)
    service.migrate()
    _start(service, conf)
    gc_tuning.freeze()
    try:
        right = _demo(service) if arguments.demo else True
        if not arguments.exit:
            _print_banner(service, conf, arguments.state_dir)
            stopping.wait()
    finally:
        service.stop()
        os.close(lock)
    return 0 if right or not arguments.exit else 1


def _take_state_dir(folder: Path) -> int:
    """Keep other users and other programs out of the state directory; return the lock's descriptor."""
    try:
        private_files.make_folder(folder)
        return private_files.lock_folder(folder, shared=False)
    except private_files.InUse:
        raise StartupError(
            f"another program uses the state directory {folder}: stop it, or give this one its own "
            "with --state-dir"
        ) from None
    except OSError as error:
        raise StartupError(f"state directory {folder}: {errors.os_error_text(error)}") from None


def _start(service: Standalone, conf: cfg.ConfigOpts) -> None:
    try:
        service.start()
    except OSError as error:
        addresses = [*conf["service:api"].listen, *conf["service:mdns"].listen]
        raise StartupError(f"cannot serve on {' and '.join(addresses)}: {error}") from None


def _demo(service: Standalone) -> bool:
    from designate.cmd import demo

    return demo.run(service.api_address, service.dns_address)


def _print_banner(service: Standalone, conf: cfg.ConfigOpts, state_dir: str) -> None:
    api_host, api_port = service.api_address
    dns_host, dns_port = service.dns_address
    text = BANNER.format(
        who="no authentication" if conf["service:api"].auth_strategy == "noauth" else "Keystone",
        api=f"http://{_bracketed(api_host)}:{api_port}",
        dns=f"{_bracketed(dns_host)}:{dns_port}",
        dns_host=dns_host,
        dns_port=dns_port,
        state=state_dir,
    )
    print(text, flush=True)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
