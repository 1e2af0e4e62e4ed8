"""Runs calls of Python's poplib and prints what they return, as JSON.

Reads {"port", "tls", "certificate", "out", "calls": [[method, argument...], ...]} from standard input. A response's
lines go to the file `out`/N, N being the position of the call, each with the CRLF that poplib has taken off. The call
["drop"] closes the socket without a word.
"""

import json
import poplib
import ssl
import sys

# poplib refuses lines above 2048 octets to protect its own memory; it is the server that is tested here.
poplib._MAXLINE = 4 * 1024 * 1024

plan = json.load(sys.stdin)
context = ssl.create_default_context(cafile=plan["certificate"])
if plan["tls"]:
    pop = poplib.POP3_SSL("localhost", plan["port"], timeout=60, context=context)
else:
    pop = poplib.POP3("localhost", plan["port"], timeout=60)


def plain(value, position):
    """The value in a form JSON has."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list):
        with open(f"{plan['out']}/{position}", "wb") as file:
            file.writelines(line + b"\r\n" for line in value)
        return len(value)
    if isinstance(value, tuple):
        return [plain(item, position) for item in value]
    return value


results = []
for position, (method, *arguments) in enumerate(plan["calls"]):
    try:
        if method == "drop":
            pop.sock.close()
            value = None
        elif method == "stls":
            value = pop.stls(context)
        else:
            value = getattr(pop, method)(*arguments)
        results.append({"value": plain(value, position)})
    except poplib.error_proto as error:
        results.append({"refused": str(error)})
print(json.dumps({"welcome": pop.getwelcome().decode("latin-1"), "results": results}))
