"""Erasing a person for good: their record or account, its history, and their name wherever else it stands.

`subjects.py` finds who it is, `values.py` how they are known in texts, `places.py` where those may be, `erasing.py`
does it. Nothing here runs by itself, and no tool reaches it.
"""
