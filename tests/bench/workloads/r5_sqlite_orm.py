# SPDX-License-Identifier: MIT
# stresses: objects in and out of SQLite in memory: rows to objects, an identity map, native blocks beside Python's
# sizes: full=60000 counted=3000 smoke=300
# needs: sqlite3
import sqlite3
import sys

BATCH = 500


class Record(object):
    """A row as an object, by the class's table and columns."""
    table = None
    columns = ()

    def __init__(self, **values):
        for name in self.columns:
            setattr(self, name, values.get(name))
        self._dirty = set()

    def change(self, name, value):
        setattr(self, name, value)
        self._dirty.add(name)


class Author(Record):
    table = "author"
    columns = ("id", "name")


class Book(Record):
    table = "book"
    columns = ("id", "author_id", "title", "price")


class Session(object):
    def __init__(self):
        self.connection = sqlite3.connect(":memory:")
        self.known = {}

    def create(self, kind):
        self.connection.execute("CREATE TABLE %s (%s)" % (kind.table, ", ".join(
            name + (" INTEGER PRIMARY KEY" if name == "id" else "") for name in kind.columns)))

    def add_all(self, records):
        kind = type(records[0])
        marks = ", ".join("?" for _ in kind.columns)
        self.connection.executemany("INSERT INTO %s VALUES (%s)" % (kind.table, marks),
                                    [tuple(getattr(record, name) for name in kind.columns) for record in records])

    def query(self, kind, where, values):
        for row in self.connection.execute("SELECT * FROM %s WHERE %s" % (kind.table, where), values):
            key = (kind, row[0])
            if key not in self.known:
                self.known[key] = kind(**dict(zip(kind.columns, row)))
            yield self.known[key]

    def flush(self):
        for (kind, number), record in self.known.items():
            for name in sorted(record._dirty):
                self.connection.execute("UPDATE %s SET %s = ? WHERE id = ?" % (kind.table, name),
                                        (getattr(record, name), number))
            record._dirty.clear()
        self.known.clear()


def run(size):
    session = Session()
    session.create(Author)
    session.create(Book)
    session.add_all([Author(id=i, name="author %d" % i) for i in range(size // BATCH + 1)])
    for first in range(0, size, BATCH):
        session.add_all([Book(id=i, author_id=i // BATCH, title="book %d" % i, price=i * 0.25)
                         for i in range(first, min(first + BATCH, size))])
    for author in list(session.query(Author, "id >= ?", (0,))):
        for book in session.query(Book, "id BETWEEN ? AND ?", (author.id * BATCH, author.id * BATCH + BATCH - 1)):
            book.change("price", book.price + 1)
        session.flush()
    return session.connection.execute("SELECT count(*), sum(price) FROM book").fetchone()


run(int(sys.argv[1]))
