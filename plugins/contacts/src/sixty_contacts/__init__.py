"""Contacts: people, the companies they are at, and what is known about them. A pack for Sixty."""
