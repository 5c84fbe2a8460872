"""Deals: a pipeline with its history, a forecast, and search. A pack for Sixty."""
