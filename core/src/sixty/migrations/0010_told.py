"""Whoever raises a counter that every process watches tells them, in that transaction and whatever code it is."""

import sqlalchemy as sa
from alembic import op

revision = "0010_told"
down_revision = "0009_traced"

_FUNCTION = """
CREATE OR REPLACE FUNCTION sixty_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sixty', '');
    RETURN NULL;
END
$$
"""
_TRIGGER = """
CREATE TRIGGER sixty_told AFTER UPDATE OF value ON state FOR EACH ROW
WHEN (NEW.name IN ('identity', 'packs') AND NEW.value <> OLD.value) EXECUTE FUNCTION sixty_tell()
"""


def upgrade() -> None:
    """Make the trigger; SQLite has nobody to tell."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text(_FUNCTION))
        op.execute(sa.text("DROP TRIGGER IF EXISTS sixty_told ON state"))
        op.execute(sa.text(_TRIGGER))


def downgrade() -> None:
    """Take it away."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("DROP TRIGGER sixty_told ON state"))
        op.execute(sa.text("DROP FUNCTION sixty_tell()"))
