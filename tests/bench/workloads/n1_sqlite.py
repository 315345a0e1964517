# SPDX-License-Identifier: MIT
# stresses: C code that allocates on its own: SQLite plans, sorts and groups; one call of Python for some hundred blocks
# sizes: full=20000 counted=600 smoke=100
# needs: sqlite3
import sqlite3
import sys

ROWS = 200
QUERY = ("WITH chosen AS (SELECT kind, label, value FROM item WHERE value > %d) "
         "SELECT kind, count(*), group_concat(label, ','), max(value) FROM chosen "
         "GROUP BY kind HAVING count(*) > 1 ORDER BY max(value) DESC, kind")


def run(size):
    connection = sqlite3.connect(":memory:", cached_statements=0)
    connection.execute("CREATE TABLE item (id INTEGER PRIMARY KEY, kind TEXT, label TEXT, value INTEGER)")
    connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                       "INSERT INTO item SELECT i, 'kind ' || (i %% 7), printf('label %%d of the item', i), "
                       "i * 7919 %% 1000 FROM n" % ROWS)
    connection.execute("CREATE INDEX by_value ON item (value)")
    found = 0
    for turn in range(size):
        found += len(connection.execute(QUERY % (turn % 900)).fetchall())
    return found


run(int(sys.argv[1]))
