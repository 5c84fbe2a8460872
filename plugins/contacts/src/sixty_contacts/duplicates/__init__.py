"""Which contacts are one person twice: pure functions, no database. Import `finding`, which needs numpy, late."""
