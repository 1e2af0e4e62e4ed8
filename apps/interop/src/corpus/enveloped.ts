import { type Draft, draft, header } from './draft.js';

/** Letters of one account whose header of To tells nothing: who they are for is in the lines of delivery. */
export function enveloped(): Draft[] {
  return [
    envelope('to-philh', [
      'Return-Path: <ada@example.org>',
      'Delivered-To: philh@vision25.example',
      RECEIVED,
    ]),
    envelope('bounce-to-sales', [
      'Return-Path: <>',
      'X-Original-To: sales@vision25.example',
      'Delivered-To: vision25@host.example',
      RECEIVED,
    ]),
    envelope('forged-below-received', [
      'Return-Path: <"mallory, of course"@example.net>',
      'Delivered-To: sales@vision25.example',
      RECEIVED,
      'Delivered-To: philh@vision25.example',
      'Return-Path: <ada@example.org>',
    ]),
    envelope('to-philh-in-capitals', [
      'Return-Path: <ada@example.org>',
      'Delivered-To: PHILH@vision25.example',
      RECEIVED,
    ]),
    envelope('to-nobody-known', ['Return-Path: <ada@example.org>', RECEIVED]),
  ];
}

const RECEIVED =
  'Received: from mx.example.org (mx.example.org [192.0.2.1])\n\tby host.example; Fri, 1 Mar 2024 10:00:00 +0000';

function envelope(name: string, lines: readonly string[]): Draft {
  return draft(name, `${lines.join('\n')}\n${header(name)}\nHello.\n`, 'ordinary');
}
