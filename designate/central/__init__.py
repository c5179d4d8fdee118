"""Central: the business rules, and the only writer of the database."""
