"""Logs in by SCRAM with libgsasl over GnuTLS, and prints what happened, as JSON.

Reads {"port", "stls", "version", "certificate", "logins": [login...]} from standard input. A login is {"mechanism", "user",
"password", "binding", "flip"}: `binding` is the type of channel binding to use, null for none, or "unseen" for a client that
could bind and was offered nothing; `flip` spoils one bit of what GnuTLS says it is, as if somebody stood in between. Stops
at the first login that succeeds and then reads message 1.

libgsasl knows tls-unique and tls-exporter, and stops by itself where -PLUS is not offered. The exchange of the other two is
done here, with Python's hashlib.
"""

import base64
import ctypes
import hashlib
import hmac
import json
import os
import socket
import sys

gsasl = ctypes.CDLL("libgsasl.so.18")
gnutls = ctypes.CDLL("libgnutls.so.30")

# gsasl.h
GSASL_OK, GSASL_NEEDS_MORE = 0, 1
GSASL_AUTHID, GSASL_PASSWORD = 1, 3
GSASL_CB_PROPERTIES = {"tls-unique": 18, "tls-exporter": 25}
gsasl.gsasl_strerror.restype = ctypes.c_char_p

# gnutls.h
GNUTLS_CLIENT, GNUTLS_CRD_CERTIFICATE, GNUTLS_X509_FMT_PEM, GNUTLS_NAME_DNS = 2, 1, 1, 1
GNUTLS_E_AGAIN, GNUTLS_E_INTERRUPTED = -28, -52
GNUTLS_CB_TYPES = {"tls-unique": 0, "tls-server-end-point": 1, "tls-exporter": 2}
gnutls.gnutls_strerror.restype = ctypes.c_char_p
gnutls.gnutls_protocol_get_name.restype = ctypes.c_char_p
gnutls.gnutls_record_recv.restype = ctypes.c_ssize_t
gnutls.gnutls_record_send.restype = ctypes.c_ssize_t


class Datum(ctypes.Structure):
    """gnutls_datum_t."""

    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


def checked(code):
    """The code of GnuTLS, which is negative for an error."""
    if code < 0:
        raise RuntimeError(gnutls.gnutls_strerror(ctypes.c_int(code)).decode())
    return code


class Secured:
    """A connection of GnuTLS."""

    def __init__(self, plain, certificate, version):
        self.socket = plain
        credentials = ctypes.c_void_p()
        checked(gnutls.gnutls_certificate_allocate_credentials(ctypes.byref(credentials)))
        trust = certificate.encode()
        checked(gnutls.gnutls_certificate_set_x509_trust_file(credentials, trust, GNUTLS_X509_FMT_PEM))
        self.session = ctypes.c_void_p()
        checked(gnutls.gnutls_init(ctypes.byref(self.session), GNUTLS_CLIENT))
        priority = f"NORMAL:-VERS-ALL:+VERS-{version}".encode()
        checked(gnutls.gnutls_priority_set_direct(self.session, priority, None))
        checked(gnutls.gnutls_credentials_set(self.session, GNUTLS_CRD_CERTIFICATE, credentials))
        name = b"localhost"
        checked(gnutls.gnutls_server_name_set(self.session, GNUTLS_NAME_DNS, name, ctypes.c_size_t(len(name))))
        gnutls.gnutls_session_set_verify_cert(self.session, name, 0)
        gnutls.gnutls_transport_set_int2(self.session, plain.fileno(), plain.fileno())
        checked(gnutls.gnutls_handshake(self.session))

    def version(self):
        return gnutls.gnutls_protocol_get_name(gnutls.gnutls_protocol_get_version(self.session)).decode()

    def binding(self, kind):
        datum = Datum()
        checked(gnutls.gnutls_session_channel_binding(self.session, GNUTLS_CB_TYPES[kind], ctypes.byref(datum)))
        return ctypes.string_at(datum.data, datum.size)

    def sendall(self, octets):
        sent = checked(gnutls.gnutls_record_send(self.session, octets, ctypes.c_size_t(len(octets))))
        assert sent == len(octets)

    def recv(self, most):
        buffer = ctypes.create_string_buffer(most)
        while True:
            got = gnutls.gnutls_record_recv(self.session, buffer, ctypes.c_size_t(most))
            # Tickets of TLS 1.3 look like nothing.
            if got not in (GNUTLS_E_AGAIN, GNUTLS_E_INTERRUPTED):
                return buffer.raw[: checked(got)]


class Lines:
    """Lines in both directions."""

    def __init__(self, channel):
        self.channel = channel
        self.rest = b""

    def write(self, text):
        self.channel.sendall(f"{text}\r\n".encode())

    def read(self):
        while b"\r\n" not in self.rest:
            chunk = self.channel.recv(4096)
            if not chunk:
                raise RuntimeError("the server closed the connection")
            self.rest += chunk
        line, self.rest = self.rest.split(b"\r\n", 1)
        return line.decode()

    def read_block(self):
        lines = []
        while (line := self.read()) != ".":
            lines.append(line)
        return lines

    def command(self, text):
        self.write(text)
        return self.read()


class Gsasl:
    """One exchange of libgsasl. `step` takes and gives base64; `done` is true when all is verified."""

    def __init__(self, login, binding):
        self.done = False
        context = ctypes.c_void_p()
        assert gsasl.gsasl_init(ctypes.byref(context)) == GSASL_OK
        self.session = ctypes.c_void_p()
        self.checked(gsasl.gsasl_client_start(context, login["mechanism"].encode(), ctypes.byref(self.session)))
        self.set(GSASL_AUTHID, login["user"])
        self.set(GSASL_PASSWORD, login["password"])
        if binding is not None:
            self.set(GSASL_CB_PROPERTIES[login["binding"]], base64.b64encode(binding).decode())

    def checked(self, code):
        if code not in (GSASL_OK, GSASL_NEEDS_MORE):
            raise PermissionError(gsasl.gsasl_strerror(code).decode())
        return code

    def set(self, name, value):
        gsasl.gsasl_property_set(self.session, name, value.encode())

    def step(self, challenge):
        output = ctypes.c_char_p()
        code = gsasl.gsasl_step64(self.session, challenge.encode(), ctypes.byref(output))
        self.done = self.checked(code) == GSASL_OK
        return (output.value or b"").decode()


class Scram:
    """The same by hand (RFC 5802)."""

    def __init__(self, login, binding):
        self.done = False
        self.login = login
        self.hash = "sha256" if "SHA-256" in login["mechanism"] else "sha1"
        self.header = b"y,," if binding is None else f"p={login['binding']},,".encode()
        self.binding = base64.b64encode(self.header + (binding or b""))
        self.bare = b"n=%s,r=%s" % (login["user"].encode(), base64.b64encode(os.urandom(18)))
        self.steps = iter([self.first, self.final, self.verify])

    def step(self, challenge):
        return base64.b64encode(next(self.steps)(base64.b64decode(challenge))).decode()

    def hmac(self, key, octets):
        return hmac.digest(key, octets, self.hash)

    def first(self, _):
        return self.header + self.bare

    def final(self, challenge):
        values = dict(part.split(b"=", 1) for part in challenge.split(b","))
        salt, iterations = base64.b64decode(values[b"s"]), int(values[b"i"])
        salted = hashlib.pbkdf2_hmac(self.hash, self.login["password"].encode(), salt, iterations)
        unproven = b"c=%s,r=%s" % (self.binding, values[b"r"])
        signed = b"%s,%s,%s" % (self.bare, challenge, unproven)
        client_key = self.hmac(salted, b"Client Key")
        signature = self.hmac(hashlib.new(self.hash, client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.expected = self.hmac(self.hmac(salted, b"Server Key"), signed)
        return b"%s,p=%s" % (unproven, base64.b64encode(proof))

    def verify(self, challenge):
        if challenge != b"v=" + base64.b64encode(self.expected):
            raise PermissionError("the server does not know the password")
        self.done = True
        return b""


def log_in(lines, login, binding_of):
    """The status line, and whether the server has proven that it knows the password, too."""
    binding = None if login["binding"] in (None, "unseen") else binding_of(login["binding"])
    if binding is not None and login["flip"]:
        binding = bytes([binding[0] ^ 1]) + binding[1:]
    by_hand = login["binding"] in ("tls-server-end-point", "unseen")
    exchange = (Scram if by_hand else Gsasl)(login, binding)
    answer = lines.command(f"AUTH {login['mechanism']}")
    while answer.startswith("+ "):
        try:
            response = exchange.step(answer[2:])
        except PermissionError as error:
            return {"status": lines.command("*"), "verified": False, "error": str(error)}
        answer = lines.command(response)
    return {"status": answer, "verified": exchange.done}


plan = json.load(sys.stdin)
plain = socket.create_connection(("127.0.0.1", plan["port"]), timeout=30)
plain.settimeout(None)
if plan["stls"]:
    before = Lines(plain)
    before.read()
    assert before.command("STLS").startswith("+OK")
secured = Secured(plain, plan["certificate"], plan["version"])
lines = Lines(secured)
if not plan["stls"]:
    lines.read()
lines.command("CAPA")
announced = [line[5:].split(" ") for line in lines.read_block() if line.startswith("SASL ")]
result = {"version": secured.version(), "announced": announced[0], "logins": []}


def binding_of(kind):
    # A value that no TLS library gives; the server must not take any.
    if kind == "tls-unique" and result["version"] == "TLS1.3":
        return bytes(12)
    return secured.binding(kind)


for login in plan["logins"]:
    outcome = log_in(lines, login, binding_of)
    result["logins"].append(outcome)
    if outcome["status"].startswith("+OK"):
        lines.command("RETR 1")
        result["message"] = "".join(f"{line}\r\n" for line in lines.read_block())
        break
result["quit"] = lines.command("QUIT")
print(json.dumps(result))
