# SPDX-License-Identifier: MIT
# stresses: many distinct lines and tracebacks, each seen few times: interning, code objects that come and go
# sizes: full=200 counted=200 smoke=12
import importlib
import sys
import warnings

# Modules that a release does not have (any more) are passed over, the same ones under every tracer.
MODULES = """
argparse ast asyncio base64 bisect bz2 calendar cmd code codecs collections concurrent.futures configparser contextlib
copy csv ctypes curses dataclasses datetime decimal difflib dis doctest email email.message email.mime.text enum
fileinput fnmatch fractions ftplib functools getopt getpass gettext glob graphlib gzip hashlib heapq hmac html
html.parser http http.client http.cookies http.server imaplib importlib.metadata importlib.resources inspect io
ipaddress json json.decoder locale logging logging.config logging.handlers lzma mailbox mimetypes modulefinder
multiprocessing multiprocessing.pool netrc numbers operator optparse pathlib pdb pickle pickletools pkgutil platform
plistlib poplib pprint profile pstats pydoc queue quopri random re reprlib rlcompleter sched secrets selectors shelve
shlex shutil signal site smtplib socket socketserver sqlite3 ssl statistics string stringprep struct subprocess
symtable sysconfig tabnanny tarfile telnetlib tempfile textwrap threading timeit token tokenize trace traceback
tracemalloc turtle types typing unittest unittest.mock urllib.parse urllib.request urllib.robotparser uuid venv
warnings wave weakref webbrowser wsgiref.simple_server xml.dom.minidom xml.etree.ElementTree xml.sax xmlrpc.client
xmlrpc.server zipapp zipfile zipimport zoneinfo
""".split()


def import_first(count):
    for name in MODULES[:count]:
        try:
            importlib.import_module(name)
        except Exception:
            pass


warnings.simplefilter("ignore")
import_first(int(sys.argv[1]))
