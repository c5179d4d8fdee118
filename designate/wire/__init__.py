"""DNS on the wire: names, messages, TSIG, transfers and master files."""

# They register their classes with dnspython.
from designate.wire import rdata_classes, tolerant_classes  # noqa: F401
