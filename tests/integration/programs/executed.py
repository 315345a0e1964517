# SPDX-License-Identifier: MIT
"""Code compiled at run time: exec, eval, compile, code that died and whose address is used again."""
from measuring import measure

import _imp
import types

kept = []
names = []

for number in range(120):
    source = "\n" * (number % 17) + "value = [%d] * 4\ntable = {'n': value}\n" % number
    space = {}
    exec(compile(source, "<made %d>" % (number % 5), "exec"), space)
    kept.append((space["value"], space["table"]))

for number in range(60):
    kept.append(eval("[%d, (%d + 0.5, ), {'k': %d}]" % (number, number, number)))

for number in range(40):
    space = {"kept": kept}
    exec("def function(argument):\n%s    return [argument, [%d]]\n" % ("    # comment\n" * (number % 9), number), space)
    kept.append(space["function"](number))
    if number % 3 == 0:
        names.append(space["function"])

for number in range(25):
    body = "class Made(object):\n    field = [%d]\n    def method(self):\n        return {'m': self.field}\n" % number
    space = {}
    exec(compile(body, "<class>", "exec"), space)
    kept.append(space["Made"]().method())

code = compile("result = [number] + [str(number)]", "<again>", "exec")
for number in range(50):
    space = {"number": number}
    exec(code, space)
    kept.append(space["result"])

lambdas = [eval("lambda value, number=%d: [value, number]" % number) for number in range(30)]
kept.extend(function([1]) for function in lambdas)
module = types.ModuleType("made")
exec("import math\nroots = [math.sqrt(number) for number in range(40)]\n", module.__dict__)
unicode_file = compile("kept.append([1] * 7)\n" * 5, "<m\u00f6del \u2603>", "exec")
exec(unicode_file)

# As an import does with code that stands elsewhere than it was compiled: here between two of its lines.
renamed = compile("kept.append([1] * 7)\nrename()\nkept.append([2] * 9)\nkept.append([3] * 11)\n", "<at first>", "exec")
exec(renamed, {"kept": kept, "rename": lambda: _imp._fix_co_filename(renamed, "<later>")})

measure()
