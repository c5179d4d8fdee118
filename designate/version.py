"""The version of this release."""

from importlib import metadata

VERSION = metadata.version("designate")
