"""Backups: what is in a database, as one file that was restored once before it counts as one."""
