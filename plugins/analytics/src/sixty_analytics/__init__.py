"""Analytics for Sixty."""
