import { describe, expect, it } from 'vitest';
import { envelopeIn } from '../src/index.js';

const octets = (text: string) => Buffer.from(text, 'latin1');

describe('envelopeIn', () => {
  it.each<[what: string, header: string, sender: string, recipient: string]>([
    ['nothing', 'Subject: hi\r\n', '', ''],
    [
      'Postfix',
      'Return-Path: <a@b.example>\nX-Original-To: ann@host.example\nDelivered-To: host@mail\n',
      'a@b.example',
      'ann@host.example',
    ],
    [
      'qmail',
      'Return-Path: <a@b.example>\nDelivered-To: ann@host.example\nReceived: x\n',
      'a@b.example',
      'ann@host.example',
    ],
    [
      'Exim',
      'Return-path: <a@b.example>\nEnvelope-to: ann@host.example\nReceived: x\n',
      'a@b.example',
      'ann@host.example',
    ],
    ['a bounce', 'Return-Path: <>\nDelivered-To: ann@host.example\n', '', 'ann@host.example'],
    [
      'any case, spaces and CRLF',
      'RETURN-PATH :  < a@b.example >\r\ndelivered-TO:ann@host.example \r\n',
      'a@b.example',
      'ann@host.example',
    ],
    [
      'folded lines',
      'Return-Path:\n <a@b.example>\nDelivered-To:\n\tann@host.example\n',
      'a@b.example',
      'ann@host.example',
    ],
    ['an address in UTF-8', 'Delivered-To: j\xc3\xb6rg@host.example\n', '', 'jörg@host.example'],
    ['an address in ISO 8859-1', 'Delivered-To: j\xf6rg@host.example\n', '', 'jörg@host.example'],
    [
      'a name beside the address',
      'Return-Path: "<odd" <a@b.example>\nDelivered-To: Ann <ann@host.example>\n',
      'a@b.example',
      'ann@host.example',
    ],
    ['control characters', 'Delivered-To: a\rnn\x00@host.example\n', '', 'ann@host.example'],
    ['nothing of the body', 'Subject: hi\n\nDelivered-To: eve@host.example\n', '', ''],
    ['lines that are no fields', 'garbage\n: x\nDelivered-To: ann@host.example\n', '', 'ann@host.example'],
  ])('reads %s', (_, header, sender, recipient) => {
    expect(envelopeIn(octets(header))).toEqual({ sender, recipient });
  });

  it('believes what stands above the first Received before what stands below', () => {
    const header =
      'Delivered-To: ann@host.example\nReceived: x\nX-Original-To: eve@host.example\nDelivered-To: eve@host.example\n';
    expect(envelopeIn(octets(header)).recipient).toBe('ann@host.example');
  });

  it('takes what stands below where nothing stands above', () => {
    const header = 'Received: x\nX-Original-To: ann@host.example\nDelivered-To: other@host.example\n';
    expect(envelopeIn(octets(header)).recipient).toBe('ann@host.example');
  });

  it('takes the names of fields that it is given', () => {
    const header = 'X-From: <a@b.example>\nX-To: ann@host.example\nDelivered-To: eve@host.example\n';
    expect(envelopeIn(octets(header), { sender: ['x-from'], recipient: ['x-to'] })).toEqual({
      sender: 'a@b.example',
      recipient: 'ann@host.example',
    });
  });
});
