"""The REST API: HTTP in front of central."""
