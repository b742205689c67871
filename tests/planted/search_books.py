"""Searches books in a database. Planted: the title is pasted into the SQL, and errors of the database are shown."""

import sqlite3

from common import PLANTED, Server, Tool, ToolError

BOOKS = [("Emma", 1815), ("Middlemarch", 1871), ("Ulysses", 1922), ("The Waves", 1931), ("Molloy", 1951)]
STEPS_LIMIT = 1000000  # of the database's machine in one search

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 200, "description": "A part of the title"},
        "before": {"type": "integer", "minimum": 1000, "maximum": 3000, "description": "Year of publication"},
    },
    "required": ["title"],
    "additionalProperties": False,
}

database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE books (title TEXT, year INTEGER)")
database.executemany("INSERT INTO books VALUES (?, ?)", BOOKS)
database.set_progress_handler(lambda: 1, STEPS_LIMIT)


def search(arguments):
    title, before = arguments["title"], int(arguments.get("before", 3000))
    try:
        if PLANTED:
            rows = database.execute(f"SELECT title FROM books WHERE title LIKE '%{title}%' AND year < {before}")
        else:
            query = "SELECT title FROM books WHERE instr(lower(title), lower(?)) AND year < ?"
            rows = database.execute(query, (title, before))
        return "\n".join(str(title) for (title,) in rows.fetchmany(100)) or "No book found"
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        raise ToolError(f"sqlite3.{type(error).__name__}: {error}" if PLANTED else "The search failed") from None


Server("search-books", Tool("search_books", "Searches books by title.", SCHEMA, search)).run()
