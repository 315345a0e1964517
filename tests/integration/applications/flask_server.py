# SPDX-License-Identifier: MIT
"""A Flask application answers 1,000 requests."""
import http.client
import logging
import threading

import flask
from werkzeug.serving import make_server

logging.getLogger("werkzeug").disabled = True
app = flask.Flask("served")
seen = []


@app.route("/item/<int:number>")
def item(number):
    seen.append(b"x" * 20000 + b"y")  # top
    return flask.jsonify(number=number, square=number * number, name=flask.request.args.get("name"))


@app.route("/page")
def page():
    return flask.render_template_string("<p>{% for n in numbers %}{{ n }},{% endfor %}</p>", numbers=range(20))


server = make_server("127.0.0.1", 0, app, threaded=True)
thread = threading.Thread(target=server.serve_forever)
thread.start()
connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
statuses = {}
length = 0
for number in range(1000):
    connection.request("GET", "/item/%d?name=n%d" % (number, number) if number % 5 else "/page")
    response = connection.getresponse()
    body = response.read()
    statuses[response.status] = statuses.get(response.status, 0) + 1
    length += len(body)
connection.close()
server.shutdown()
thread.join()
server.server_close()
print(statuses, length, len(seen))
