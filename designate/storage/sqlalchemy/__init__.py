"""Storage in SQLite, MariaDB, MySQL and PostgreSQL by SQLAlchemy."""
