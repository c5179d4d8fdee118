"""A machine for tests: namespaces in which an operator's commands run as they are written.

Folders that commands write to (/etc, /opt, /run, /var/lib, ...) are private, and systemctl is a small
program that starts units under most of their restrictions.
"""
