"""Runs a program for each connection, with the connection as its standard input and output."""

import os
import signal
import socket
import sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print(f"listening {listener.getsockname()[1]}", flush=True)
while True:
    connection, _ = listener.accept()
    # Otherwise each answer in two writes waits for an acknowledgement that the client delays.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(connection.fileno(), 0)
        os.dup2(connection.fileno(), 1)
        os.execv(sys.argv[1], sys.argv[1:])
    connection.close()
