"""MiniDNS: the hidden primary that serves zones to nameservers from the database."""
