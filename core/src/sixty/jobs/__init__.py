"""Durable work: what a call leaves to be done after it, once and for sure, by whichever process comes to it first."""
