"""Connections, transactions and rows, common to all tables."""
