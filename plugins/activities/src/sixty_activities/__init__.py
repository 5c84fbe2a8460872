"""Activities. A pack for Sixty."""
