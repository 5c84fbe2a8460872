"""Which contacts are one person twice: pure functions, no database. `finding` needs numpy: import it where it is used."""
