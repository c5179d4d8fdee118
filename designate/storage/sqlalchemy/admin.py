"""Temporary names of what moved to tlds, blacklists, tsigkeys and services."""

from designate.storage.sqlalchemy.blacklists import BLACKLISTS
from designate.storage.sqlalchemy.blacklists import patterns as blacklist_patterns
from designate.storage.sqlalchemy.services import SERVICES, mark_down
from designate.storage.sqlalchemy.services import delete_stopped as delete_stopped_services
from designate.storage.sqlalchemy.services import find as find_services
from designate.storage.sqlalchemy.services import find_by_name as service
from designate.storage.sqlalchemy.tlds import TLDS
from designate.storage.sqlalchemy.tlds import check_name as check_tld
from designate.storage.sqlalchemy.tsigkeys import TSIGKEYS, pool_has_key, resource_exists
from designate.storage.sqlalchemy.tsigkeys import name_is_taken as has_namesake

__all__ = [
    "BLACKLISTS",
    "SERVICES",
    "TLDS",
    "TSIGKEYS",
    "blacklist_patterns",
    "check_tld",
    "delete_stopped_services",
    "find_services",
    "has_namesake",
    "mark_down",
    "pool_has_key",
    "resource_exists",
    "service",
]
