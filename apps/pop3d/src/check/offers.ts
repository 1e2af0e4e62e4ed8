import type { Offer, Pop3Server } from '@pop3/server-node';
import { type ListenerConfig, listenersOf } from '../config/listeners.js';
import type { Config } from '../config/schema.js';
import type { OpenedParts } from '../parts.js';
import { grouped, paragraph } from './report.js';
import { type View, viewsOf } from './views.js';
import { reasonAgainst, WAYS, waysIn } from './ways.js';

/** What a client is offered, and whom else. */
interface Told {
  readonly view: View;
  readonly offer: Offer;
}

/** What each listener offers to whom, and why it does not offer the rest: lines of at most 80 columns where words allow it. */
export async function linesOfOffers(
  config: Config,
  server: Pop3Server,
  parts: OpenedParts,
): Promise<string[]> {
  const lines: string[] = [];
  for (const listener of listenersOf(config)) {
    const told: Told[] = [];
    for (const view of viewsOf(listener, config)) told.push({ view, offer: await server.offers(view) });
    lines.push('', ...paragraph(titleOf(listener), 0));
    for (const { label, offer } of merged(told)) lines.push(...linesOfOffer(label, offer));
    const reasons = reasonsOf(listener, told, config, parts);
    if (reasons.length > 0) lines.push('  not offered');
    for (const reason of reasons) lines.push(...paragraph(reason, 4));
  }
  return lines;
}

const TLS_MODES = { off: 'no TLS', starttls: 'STLS', implicit: 'TLS from the start' };

function titleOf({ address, tls, minVersion, proxyProtocol, xclient }: ListenerConfig): string {
  return [
    `listener ${address}: ${TLS_MODES[tls]}`,
    ...(tls === 'off' ? [] : [`${minVersion} or newer`]),
    ...(proxyProtocol ? ['PROXY protocol'] : []),
    ...(xclient ? ['XCLIENT'] : []),
  ].join(', ');
}

function linesOfOffer(label: string, offer: Offer): string[] {
  const sasl = offer.capabilities.get('SASL') ?? [];
  const others = waysIn(offer).filter((name) => !sasl.includes(name));
  if (offer.capabilities.has('STLS')) others.push('STLS');
  return [
    `  ${label}`,
    ...(others.length === 0 ? [] : paragraph(others.join(', '), 4)),
    ...(sasl.length === 0 ? [] : paragraph(`AUTH ${sasl.join(', ')}`, 4)),
    ...(others.length + sasl.length === 0 ? ['    nothing'] : []),
  ];
}

/** Clients of one occasion who are offered the same, as one. */
function merged(told: readonly Told[]): { readonly label: string; readonly offer: Offer }[] {
  return told.flatMap(({ view, offer }, index) => {
    const same = (other: Told) =>
      other.view.occasion === view.occasion && textOf(other.offer) === textOf(offer);
    if (told.findIndex(same) !== index) return [];
    return [{ label: told.filter(same).length > 1 ? view.occasion : view.label, offer }];
  });
}

function textOf(offer: Offer): string {
  return JSON.stringify([waysIn(offer), offer.capabilities.has('STLS')]);
}

function reasonsOf(
  { tls }: ListenerConfig,
  told: readonly Told[],
  config: Config,
  { logins, tls: certificates }: OpenedParts,
): string[] {
  const reasons = WAYS.flatMap((way) =>
    told
      .filter(({ offer }) => !waysIn(offer).includes(way.name))
      .map(({ view }) => [way.name, reasonAgainst(way, view, config, logins.authenticator)] as const),
  );
  if (tls === 'off') {
    const why =
      certificates === null ? 'needs server.tls_cert and server.tls_key' : 'the listener has tls = "off"';
    reasons.unshift(['STLS', why]);
  }
  return grouped(reasons);
}
