"""DNS on the wire: names, messages, TSIG, transfers and master files."""

from designate.wire import old_types  # noqa: F401 - registers them with dnspython
