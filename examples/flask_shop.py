# SPDX-License-Identifier: MIT
"""A shop of one page, in Flask, with a leak: results of searches are kept by their address, so that the same search is
quick the next time.  But each visitor's address has a number in it, so nothing is ever found again.

    tm-run -m flask --app flask_shop.py run                  # one terminal
    tm-snap PID; python flask_shop.py 2000; tm-snap PID      # another: a snapshot, 2,000 visitors, another one

usage: flask_shop.py REQUESTS [URL]      visits the shop with eight threads
"""
import random
import sqlite3
import sys
import threading
import urllib.request

SHAPES = ("round", "square", "long", "flat", "tall")
COLOURS = ("red", "green", "blue", "white", "black", "grey")
PAGE = """<!doctype html><title>{{ wanted }}</title>
<ul>{% for row in rows %}<li>{{ row['name'] }}: {{ '%.2f' % row['price'] }}</li>{% endfor %}</ul>"""


def open_stock():
    stock = sqlite3.connect(":memory:", check_same_thread=False)
    stock.row_factory = sqlite3.Row
    stock.execute("CREATE TABLE goods (name TEXT, price REAL)")
    goods = [("%s %s box %d" % (colour, shape, size), size * 1.5)
             for colour in COLOURS for shape in SHAPES for size in range(40)]
    stock.executemany("INSERT INTO goods VALUES (?, ?)", goods)
    return stock


class Search:
    def __init__(self):
        self.stock, self.lock, self.known = open_stock(), threading.Lock(), {}

    def find(self, words):
        pattern = "%" + "%".join(words) + "%"
        with self.lock:
            return [dict(row) for row in self.stock.execute("SELECT name, price FROM goods WHERE name LIKE ?", (pattern,))]

    def results(self, address, wanted):
        if address not in self.known:
            self.known[address] = self.find(wanted.split())
        return self.known[address]


def create_app():
    import flask
    app, search = flask.Flask("shop"), Search()

    @app.route("/search")
    def show():
        wanted = flask.request.args["q"]
        return flask.render_template_string(PAGE, wanted=wanted, rows=search.results(flask.request.full_path, wanted))

    return app


def visit(url, requests, seed):
    chance = random.Random(seed)
    for number in range(requests):
        wanted = "%s+%s+%d" % (chance.choice(COLOURS), chance.choice(SHAPES + ("",)), chance.randrange(10))
        with urllib.request.urlopen("%s/search?q=%s&visitor=%d-%d" % (url, wanted, seed, number)) as answer:
            answer.read()


def main():
    requests, url = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:5000"
    visitors = [threading.Thread(target=visit, args=(url, requests // 8, seed)) for seed in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()


if __name__ == "__main__":
    main()
