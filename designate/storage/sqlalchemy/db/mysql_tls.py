"""TLS parameters of MySQL URLs: all of them go to the driver as one dictionary.

SQLAlchemy and PyMySQL each read some of them, and where a URL has parameters of both, the driver drops
the certificate authority; it also takes the text `false` for true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from oslo_utils import strutils

from designate import errors

FILES = ("ssl_ca", "ssl_cert", "ssl_key")
TEXTS = (*FILES, "ssl_capath", "ssl_cipher")
BOOLEANS = ("ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname", "ssl_disabled")


def split(url: sa.URL) -> tuple[sa.URL, dict[str, Any]]:
    """Return the URL without its TLS parameters, and the driver's arguments that replace them.

    Raises:
        ConfigurationError: A file is missing, or a flag is neither true nor false.
    """
    given = {name: _text(url.query[name]) for name in (*TEXTS, *BOOLEANS) if name in url.query}
    rest = url.difference_update_query(given)
    flags = {name: _flag(name, given[name]) for name in BOOLEANS if name in given}
    if flags.pop("ssl_disabled", False):
        return rest, {"ssl_disabled": True}
    for name in FILES:
        if name in given and not Path(given[name]).is_file():
            raise errors.ConfigurationError(f"the database's {name}: {given[name]}: no such file")
    tls: dict[str, Any] = {
        name.removeprefix("ssl_"): given[name] for name in TEXTS if name in given
    }
    identity = flags.get("ssl_verify_identity", flags.get("ssl_check_hostname"))
    if identity is None and "ssl_verify_cert" in flags:
        identity = False  # PyMySQL's meaning: the certificate is checked and not whose it is
    if identity is not None:
        tls["check_hostname"] = identity
    if identity or "ssl_verify_cert" in flags:
        tls["verify_mode"] = bool(identity or flags["ssl_verify_cert"])
    return rest, {"ssl": tls} if tls else {}


def _text(value: str | tuple[str, ...]) -> str:
    """Return the parameter's value, the last one if it is repeated."""
    return value if isinstance(value, str) else value[-1]


def _flag(name: str, value: str) -> bool:
    try:
        return bool(strutils.bool_from_string(value, strict=True))
    except ValueError:
        raise errors.ConfigurationError(f"the database's {name} is not true or false") from None
