"""Contacts. A pack for Sixty."""
