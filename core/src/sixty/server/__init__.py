"""The transports: each decodes what a client sends, calls, and encodes the answer. No rule of the CRM is here."""
