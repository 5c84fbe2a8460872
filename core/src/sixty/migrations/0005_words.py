"""The full-text index has each word with its kind before it, so that a search reads nothing of other kinds."""

import sqlalchemy as sa
from alembic import op

revision = "0005_words"
down_revision = "0004_imported"

_COLUMNS = ("title", "body")


def upgrade() -> None:
    """Make the index anew."""
    if op.get_bind().dialect.name == "postgresql":
        _index_postgres(*(_of_kind(column) for column in _COLUMNS))
        op.create_index("ix_search_newest", "search", ["kind", sa.text("(-rid)")])
        return
    _drop_sqlite()
    title, body = (_of_kind(column) for column in _COLUMNS)
    op.execute(sa.text(f"CREATE VIEW search_words AS SELECT rid, {title} AS title, {body} AS body FROM search"))  # noqa: S608 - no value in it
    _index_sqlite("search_words", "", *_COLUMNS)


def downgrade() -> None:
    """Make it as it was."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_search_newest", "search")
        _index_postgres(*_COLUMNS)
        return
    _drop_sqlite()
    op.execute(sa.text("DROP VIEW search_words"))
    _index_sqlite("search", ", prefix='3'", "kind", *_COLUMNS)


def _of_kind(column: str, row: str = "") -> str:
    """The words of a column with the kind before each, which is letters and digits: a tokenizer parts no such word."""
    kind = f"replace({row}kind, '_', '')"
    return f"coalesce(replace(' ' || nullif({row}{column}, ''), ' ', ' ' || {kind}), '')"


def _index_postgres(title: str, body: str) -> None:
    document = f"setweight(to_tsvector('simple', {title}), 'A') || setweight(to_tsvector('simple', {body}), 'D')"
    for statement in (
        "ALTER TABLE search DROP COLUMN document",
        f"ALTER TABLE search ADD COLUMN document tsvector GENERATED ALWAYS AS ({document}) STORED",
        "CREATE INDEX ix_search_document ON search USING gin (document) WITH (fastupdate = off)",
    ):
        op.execute(sa.text(statement))


def _drop_sqlite() -> None:
    for trigger in ("added", "removed", "changed"):
        op.execute(sa.text(f"DROP TRIGGER search_{trigger}"))
    op.execute(sa.text("DROP TABLE search_index"))


def _index_sqlite(content: str, options: str, *columns: str) -> None:
    names = ", ".join(columns)
    options = f"content='{content}', content_rowid='rid', tokenize='unicode61 remove_diacritics 0'{options}"

    def words(row: str) -> str:
        return ", ".join(_of_kind(column, row) if content == "search_words" else row + column for column in columns)

    added = f"INSERT INTO search_index(rowid, {names}) VALUES (new.rid, {words('new.')});"  # noqa: S608 - names of ours
    gone = f"(search_index, rowid, {names}) VALUES ('delete', old.rid, {words('old.')})"
    removed = f"INSERT INTO search_index{gone};"
    for statement in (
        f"CREATE VIRTUAL TABLE search_index USING fts5({names}, {options})",
        f"CREATE TRIGGER search_added AFTER INSERT ON search BEGIN {added} END",
        f"CREATE TRIGGER search_removed AFTER DELETE ON search BEGIN {removed} END",
        f"CREATE TRIGGER search_changed AFTER UPDATE ON search BEGIN {removed} {added} END",
        "INSERT INTO search_index(search_index) VALUES ('rebuild')",
    ):
        op.execute(sa.text(statement))
