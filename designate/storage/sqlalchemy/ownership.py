"""Temporary names of what moved to shares and transfers."""

from designate.storage.sqlalchemy.shares import SHARES, has_child_zones, has_recordsets
from designate.storage.sqlalchemy.shares import delete_of_zone as delete_shares
from designate.storage.sqlalchemy.transfers import (
    ACCEPTS,
    ALL_REQUESTS,
    REQUESTS,
    change_owner,
    count_wrong_key,
    wrong_key_count,
)

__all__ = [
    "ACCEPTS",
    "ALL_REQUESTS",
    "REQUESTS",
    "SHARES",
    "change_owner",
    "count_wrong_key",
    "delete_shares",
    "has_child_zones",
    "has_recordsets",
    "wrong_key_count",
]
