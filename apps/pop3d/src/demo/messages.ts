/** The messages of the demonstration: small, and of the kinds that break careless software. */

const DAY_MS = 24 * 60 * 60 * 1000;

interface Draft {
  readonly from: string;
  readonly subject: string;
  /** Of the message; replies name it. */
  readonly id: string;
  readonly daysAgo: number;
  readonly replyTo?: readonly string[];
  /** Header fields beside those above. */
  readonly fields?: readonly string[];
  readonly body: string;
}

/** Messages for a user `demo`, in the order of their age, as they are stored: with LF line ends. */
export function demoMessages(now: Date): readonly Buffer[] {
  return DRAFTS.map((draft) => Buffer.from(messageOf(draft, now)));
}

function messageOf(
  { from, subject, id, daysAgo, replyTo = [], fields = TEXT, body }: Draft,
  now: Date,
): string {
  const date = new Date(now.getTime() - daysAgo * DAY_MS).toUTCString().replace('GMT', '+0000');
  const references = replyTo.map((parent) => `<${parent}@demo.example>`);
  return [
    `Return-Path: <${/<(.*)>/.exec(from)?.[1] ?? from}>`,
    `Date: ${date}`,
    `From: ${from}`,
    'To: Demo <demo@demo.example>',
    `Subject: ${subject}`,
    `Message-ID: <${id}@demo.example>`,
    ...(references.length > 0
      ? [`In-Reply-To: ${references.at(-1)}`, `References: ${references.join('\n ')}`]
      : []),
    'MIME-Version: 1.0',
    ...fields,
    '',
    body,
  ].join('\n');
}

const TEXT = ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'];

const ATTACHED_TABLE = ['day,visitors', 'Monday,118', 'Tuesday,97', 'Wednesday,131', ''].join('\r\n');

const WELCOME = `Hello!

This is a real POP3 server with a real Maildir behind it. What you do here works
as anywhere: DELE and QUIT delete, a second login at the same time is refused,
and the ids that UIDL gives stay the same.

When the server stops, all of this is gone.
`;

const NEWSLETTER = `This is a message with two faces.
--=_two-faces
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

The harbour caf=C3=A9 is open again. Soup of the week: pumpkin with ginger, 6 =E2=82=AC.

--=_two-faces
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><body style=3D"font-family:sans-serif">
<h1 style=3D"color:#135">The harbour caf=C3=A9</h1>
<p>is open again. Soup of the week: <b>pumpkin with ginger</b>, 6&nbsp;=E2=82=AC.</p>
</body></html>

--=_two-faces--
`;

const REPORT = `--=_report
Content-Type: text/plain; charset=us-ascii

The figures of the week are attached.

--=_report
Content-Type: text/csv; charset=us-ascii; name="visitors.csv"
Content-Disposition: attachment; filename="visitors.csv"
Content-Transfer-Encoding: base64

${Buffer.from(ATTACHED_TABLE).toString('base64')}
--=_report--
`;

const DOTS = `Every line below starts with a dot, and one is nothing but a dot. On the wire a
server doubles such dots, and a client takes the second one away again:

.
..
...and so on
.TH POP3D 8
.SH NAME

If you can read this line, nobody has taken the lone dot for the end.
`;

const UTF8 = `Grüße aus Köln, bonjour de Besançon, pozdrowienia z Łodzi, привет из Томска,
γειά σου από τη Χίο, 横浜からこんにちは. 👋

These octets travel as they are: nothing here is encoded.
`;

const DRAFTS: readonly Draft[] = [
  {
    from: 'pop3d <pop3d@demo.example>',
    subject: 'Welcome',
    id: 'welcome',
    daysAgo: 9,
    body: WELCOME,
  },
  {
    from: 'Harbour Cafe <news@cafe.example>',
    subject: '=?utf-8?Q?The_harbour_caf=C3=A9_is_open_again?=',
    id: 'soup',
    daysAgo: 8,
    fields: ['Content-Type: multipart/alternative; boundary="=_two-faces"'],
    body: NEWSLETTER,
  },
  {
    from: 'Front desk <desk@museum.example>',
    subject: 'Visitors, week 46',
    id: 'week46',
    daysAgo: 7,
    fields: ['Content-Type: multipart/mixed; boundary="=_report"'],
    body: REPORT,
  },
  {
    from: 'Dot <dot@wire.example>',
    subject: 'Lines that start with a dot',
    id: 'dots',
    daysAgo: 6,
    body: DOTS,
  },
  {
    from: '=?utf-8?Q?J=C3=B6rg_=C5=81ukasz?= <joerg@wire.example>',
    subject: '=?utf-8?B?R3LDvMOfZQ==?=',
    id: 'utf8',
    daysAgo: 5,
    body: UTF8,
  },
  ...thread(),
];

/** Twelve messages between three people about a rowing boat, each with all that was said before. */
function thread(): readonly Draft[] {
  const people = [
    'Ida <ida@rowing.example>',
    'Sam <sam@rowing.example>',
    'Noor <noor@rowing.example>',
  ] as const;
  const said = [
    'The boat house wants the boat back by Friday. Who has the key?',
    'I had it on Sunday. It hangs behind the door, under the towel.',
    'There is a towel, and no key under it.',
    'Which towel?',
    'The green one.',
    'The key was under the blue one. Is there no blue one?',
    'There is no blue one any more. Somebody has washed the towels.',
    'That was me. I am sorry. Then it is in the laundry bag.',
    'Found it! It is quite clean now.',
    'Friday at six, then? We row her over together.',
    'Six is good. I bring soup from the harbour cafe.',
    'See you there. And thank you both.',
  ];
  const drafts: Draft[] = [];
  let quoted = '';
  for (const [index, sentence] of said.entries()) {
    const from = people[index % people.length] as string;
    const body = `${sentence}\n${quoted}`;
    drafts.push({
      from,
      subject: index === 0 ? 'The key of the boat house' : 'Re: The key of the boat house',
      id: `boat${index}`,
      daysAgo: 4 - index / 4,
      replyTo: drafts.map(({ id }) => id),
      body,
    });
    const lines = body.trimEnd().split('\n');
    quoted = `\n${from.split(' ')[0]} wrote:\n${lines.map((line) => (line === '' ? '>' : `> ${line}`)).join('\n')}\n`;
  }
  return drafts;
}
