"""DNS on the wire: names, messages, TSIG, transfers and master files."""
