# SPDX-License-Identifier: MIT
"""A Flask application for WSGI servers; it keeps something of every request."""
import flask

app = flask.Flask("served")
kept = []


@app.route("/item/<int:number>")
def item(number):
    kept.append(b"x" * 60000 + b"y")  # top
    return flask.jsonify(number=number, square=number * number, name=flask.request.args.get("name"))


@app.route("/page")
def page():
    return flask.render_template_string("<p>{% for n in numbers %}{{ n }},{% endfor %}</p>", numbers=range(20))
