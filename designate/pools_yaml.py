"""Read a pools.yaml."""

from __future__ import annotations

from pathlib import Path

import yaml

from designate import errors
from designate.model import pools_file
from designate.model.pools import PoolSpec


def read(path: str, drivers: list[str] | None = None) -> tuple[PoolSpec, ...]:
    """Parse a pools.yaml.

    Args:
        path: the file.
        drivers: names that a target's type may have; None allows any.

    Returns:
        The pools in the order of the file.

    Raises:
        BadRequest: the file cannot be read or is invalid; the message names the file and the fault.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise errors.BadRequest(f"{path}: {error}") from None
    return pools_file.parse(data, path, drivers)
