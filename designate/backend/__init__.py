"""Backends: drivers that create and delete zones on nameservers."""
