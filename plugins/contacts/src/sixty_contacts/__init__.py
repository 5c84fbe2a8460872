"""Contacts: people and companies, what is known about them, and no duplicates. A pack for Sixty."""
