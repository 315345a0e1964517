# SPDX-License-Identifier: MIT
# stresses: Django's template engine: a table of many cells, filters and an included row; strings joined at the end
# sizes: full=25 counted=2 smoke=1
# needs: django
import sys

from django import conf, template
import django

ROWS = 60
COLUMNS = 40

PAGE = """<table>{% for row in table %}
<tr class="{% cycle 'odd' 'even' %}">{% for cell in row %}{% if cell %}<td>{{ cell|default:""|title }}</td>{% endif %}
{% endfor %}{{ row|length }}</tr>{% endfor %}</table>
"""


def render(page, number):
    table = [["cell <%d>" % (number + row * column) for column in range(COLUMNS)] for row in range(ROWS)]
    return page.render(template.Context({"table": table}))


conf.settings.configure(TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
compiled = template.Template(PAGE)
for i in range(int(sys.argv[1])):
    text = render(compiled, i)
