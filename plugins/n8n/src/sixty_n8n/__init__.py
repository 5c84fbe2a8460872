"""n8n: the organisation's workflows, found and started. A pack for Sixty; see `plugin.py`."""
