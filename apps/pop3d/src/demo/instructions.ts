/**
 * What to try with a demonstration server: each command can be pasted as it is.
 *
 * @param listening - as `serve` prints them, such as `pop3 127.0.0.1:2110`
 */
export function instructionsFor(listening: readonly string[]): string {
  const plain = addressOf('pop3', listening);
  const tls = addressOf('pop3s', listening);
  const [host, port] = [plain.slice(0, plain.lastIndexOf(':')), plain.slice(plain.lastIndexOf(':') + 1)];
  const dialogue = String.raw`printf 'USER demo\r\nPASS demo\r\nLIST\r\nQUIT\r\n'`;
  const python = [
    'import poplib',
    `m = poplib.POP3('${host.replace(/[[\]]/g, '')}', ${port})`,
    "m.user('demo')",
    "m.pass_('demo')",
    'print(m.stat(), m.top(1, 0))',
    'm.quit()',
  ].join('; ');
  return `
A maildrop with a few messages is there for the user "demo" with the password "demo". Try:

  with curl, in the clear: the list, then the first message
    curl -u demo:demo pop3://${plain}/
    curl -u demo:demo pop3://${plain}/1

  with curl, encrypted: by STLS, then inside TLS (-k, since the certificate is nobody's)
    curl -k --ssl-reqd -u demo:demo pop3://${plain}/4
    curl -k -u demo:demo pop3s://${tls}/5

  with Python
    python3 -c "${python}"

  with openssl: inside TLS, then by STLS
    ${dialogue} | openssl s_client -quiet -connect ${tls}
    ${dialogue} | openssl s_client -quiet -starttls pop3 -connect ${plain}

  by hand
    openssl s_client -quiet -crlf -connect ${tls}
    ... and type USER demo, PASS demo, STAT, RETR 1, QUIT

To stop it and take everything away: Ctrl-C here, or elsewhere
    kill ${process.pid}
`;
}

/** The first listener of a kind, by an address that this machine can reach. */
function addressOf(kind: 'pop3' | 'pop3s', listening: readonly string[]): string {
  const address = listening.find((line) => line.startsWith(`${kind} `))?.slice(kind.length + 1) ?? '';
  return address.replace(/^(?:0\.0\.0\.0|\[::\]):/, 'localhost:');
}
