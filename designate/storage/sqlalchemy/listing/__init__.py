"""Lists of zones and recordsets: filters, pages and counts."""
