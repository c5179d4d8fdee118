"""Which release this is."""

from importlib import metadata

VERSION = metadata.version("designate")
