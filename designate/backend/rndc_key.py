"""Keys of BIND's control channel, read from the files of rndc (rndc.conf(5))."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path

from designate import errors

DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
# Where distributions have the files, for targets that name none.
USUAL_FILES = ("/etc/bind/rndc.conf", "/etc/rndc.conf", "/etc/bind/rndc.key", "/etc/rndc.key")
_TOKEN = re.compile(r'"([^"]*)"|([{};])|([^\s{};"]+)')
_COMMENT = re.compile(r'("[^"]*")|/\*.*?\*/|//[^\n]*|#[^\n]*', re.DOTALL)

Block = list["str | Block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RndcKey:
    """A key; the digest is one of DIGESTS, as in hmac.digest, and repr omits the secret."""

    name: str
    digest: str
    secret: bytes = field(repr=False)


def load(key_file: str | None, config_file: str | None, host: str) -> RndcKey:
    """Return the key for a server.

    It is read from the key file, from the configuration file, or else from USUAL_FILES.

    Raises:
        BackendError: there is no usable key; the text names the file and never its content.
    """
    for path in (key_file, config_file):
        if path:
            return _from_file(Path(path), host)
    for path in USUAL_FILES:
        if Path(path).is_file():
            return _from_file(Path(path), host)
    raise errors.BackendError(
        "no rndc key: set the target's option rndc_key_file or rndc_config_file"
    )


def _from_file(path: Path, host: str) -> RndcKey:
    try:
        statements = _parse(path.read_text("utf-8", "replace"))
    except OSError as error:
        raise errors.BackendError(f"rndc key file {path}: {error.strerror}") from None
    keys = {str(s[1]): s[2] for s in statements if s[0] == "key" and len(s) == 3}
    chosen = _chosen_key(statements, host)
    if chosen is None and len(keys) != 1:
        raise errors.BackendError(f"rndc key file {path}: {len(keys)} keys, and none is selected")
    name = chosen if chosen is not None else next(iter(keys))
    block = keys.get(name)
    if not isinstance(block, list):
        raise errors.BackendError(f"rndc key file {path}: there is no key {name!r}")
    return _key(path, name, block)


def _chosen_key(statements: list[Block], host: str) -> str | None:
    """Return the selected key's name: `server <host> { key x; }` precedes `options { default-key x; }`."""
    found: str | None = None
    for statement in statements:
        block = statement[-1]
        if not isinstance(block, list):
            continue
        if statement[0] == "server" and statement[1] == host:
            return _setting(block, "key") or found
        if statement[0] == "options":
            found = _setting(block, "default-key") or found
    return found


def _setting(block: Block, name: str) -> str | None:
    for statement in block:
        if isinstance(statement, list) and len(statement) == 2 and statement[0] == name:
            return str(statement[1])
    return None


def _key(path: Path, name: str, block: Block) -> RndcKey:
    algorithm = (_setting(block, "algorithm") or "").lower()
    # "hmac-sha256-128" is a truncated TSIG; the control channel has no truncation.
    digest = re.sub(r"^hmac-(md5|sha\d+)(\..*|-\d+)?$", r"\1", algorithm)
    if digest not in DIGESTS:
        raise errors.BackendError(f"rndc key file {path}: unknown algorithm {algorithm!r}")
    try:
        secret = base64.b64decode(_setting(block, "secret") or "", validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not secret:
        raise errors.BackendError(f"rndc key file {path}: key {name!r} has no base64 secret")
    return RndcKey(name=name, digest=digest, secret=secret)


def _parse(text: str) -> list[Block]:
    """Return statements as nested lists of words; a `{ }` block is a list of statements."""
    clean = _COMMENT.sub(lambda match: match.group(1) or " ", text)
    stack: list[list[Block]] = [[]]
    statement: Block = []
    open_statements: list[Block] = []
    for match in _TOKEN.finditer(clean):
        quoted, mark, word = match.groups()
        if mark == "{":
            open_statements.append(statement)
            stack.append([])
            statement = []
        elif mark == "}":
            if not open_statements:
                continue
            block = stack.pop()
            statement = open_statements.pop()
            statement.append(list(block))
        elif mark == ";":
            if statement:
                stack[-1].append(statement)
            statement = []
        else:
            statement.append(quoted if quoted is not None else word)
    return stack[0]
