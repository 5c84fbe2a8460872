"""Which contacts are one person twice: pure functions, no database. `find` needs numpy, so import it where it is used."""
