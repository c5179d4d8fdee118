"""Turns what happens to servers and addresses of the cloud into records."""
