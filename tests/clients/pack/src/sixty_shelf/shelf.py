"""Books: a tool for each role, a resource, a record with an address, a prompt and the completion of its argument."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from sixty import (
    Arguments,
    Call,
    Completing,
    Completion,
    Kind,
    Permissions,
    Prompt,
    Record,
    RecordId,
    Resource,
    Result,
    Tables,
    Text,
    Tool,
    completion,
    hookimpl,
    prompt,
    record_table,
    resource,
    tool,
)

GENRES = ("biography", "biology", "poetry")

metadata = sa.MetaData()
books = record_table("shelf_books", metadata, sa.Column("title", sa.String(255), nullable=False))


class Book(Record):
    """A book as it is shown."""

    title: str


BOOK = Kind("book", table=books, model=Book, resource="books", title="title")


class Nothing(Arguments):
    """No arguments."""


class NewBook(Arguments):
    """A book to be."""

    title: Text


class OneBook(Arguments):
    """Which book."""

    book_id: RecordId


class NewTitle(OneBook):
    """What a book is to be called."""

    title: Text


class Genre(Arguments):
    """What kind of book."""

    genre: Text


class Switch(Arguments):
    """On or off."""

    on: bool


class BookShown(Result):
    """The book."""

    book: Book


@tool("add_book", permission="books:create", effect="create")
async def add_book(args: NewBook, call: Call) -> BookShown:
    """Put a book on the shelf."""
    return BookShown(message="Added", book=await call.records.add(BOOK, args.model_dump()))


@tool("retitle_book", permission="books:update", effect="update")
async def retitle_book(args: NewTitle, call: Call) -> BookShown:
    """Give a book another title."""
    return BookShown(message="Retitled", book=await call.records.update(BOOK, args.book_id, {"title": args.title}))


@tool("switch_lending", permission="shelf:manage", effect="update", open_world=True)
async def switch_lending(args: Switch, call: Call) -> Result:
    """Lend books from now on, or no more: enable or disable the pack `lending`."""
    await (call.host.enable if args.on else call.host.disable)("lending")
    return Result(message="Books are lent" if args.on else "Books are not lent")


@resource("shelf://rules", name="rules", permission="books:read", mime_type="text/plain")
async def rules(args: Nothing, call: Call) -> str:
    """What readers keep to."""
    return "No food near the books."


@resource("shelf://books/{book_id}", name="book", permission="books:read", record="book_id")
async def one_book(args: OneBook, call: Call) -> Book:
    """A book."""
    return Book.model_validate(await call.records.get(BOOK, args.book_id))


@prompt("recommend", permission="books:read")
async def recommend(args: Genre, call: Call) -> str:
    """Ask for something to read."""
    return f"Recommend a book: {args.genre}"


@completion("genre", permission="books:read", of="recommend")
async def genres(args: Completing, call: Call) -> list[str]:
    """The kinds of books that there are."""
    return [genre for genre in GENRES if genre.startswith(args.value)]


@hookimpl
def sixty_tables() -> Tables:
    """The books."""
    return Tables(metadata, kinds=(BOOK,), migrations=Path(__file__).parent / "migrations")


@hookimpl
def sixty_permissions() -> list[Permissions]:
    """Everybody reads and adds books; who renames them, and who manages the shelf, is a matter of the role."""
    actions = {"read": "Read books", "create": "Add books", "update": "Change books", "delete": "Remove books"}
    return [
        Permissions("books", actions, {"user": ("books:read", "books:create"), "manager": ("books:update",)}),
        Permissions("shelf", {"manage": "Switch the lending of books on and off"}, {}),
    ]


@hookimpl
def sixty_tools() -> list[Tool]:
    """One for each role."""
    return [add_book, retitle_book, switch_lending]


@hookimpl
def sixty_resources() -> list[Resource]:
    """A text, and every book."""
    return [rules, one_book]


@hookimpl
def sixty_prompts() -> list[Prompt]:
    """One."""
    return [recommend]


@hookimpl
def sixty_completions() -> list[Completion]:
    """The one of its argument."""
    return [genres]
