"""Tasks. A pack for Sixty."""
