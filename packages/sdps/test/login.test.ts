import { describe, expect, it } from 'vitest';
import { sdpsLogin } from '../src/index.js';

describe('sdpsLogin', () => {
  it.each([
    ['philh@vision25', 'vision25', 'philh'],
    ['vision25+philh', 'vision25', 'philh'],
    ['vision25', 'vision25', null],
    // A user may hold either mark, a host holds none.
    ['ann+lists@vision25', 'vision25', 'ann+lists'],
    ['a@b@vision25', 'vision25', 'a@b'],
    ['vision25+ann+lists', 'vision25', 'ann+lists'],
    // Nothing on one side: no part of anything.
    ['@vision25', '@vision25', null],
    ['philh@', 'philh@', null],
    ['+philh', '+philh', null],
    ['vision25+', 'vision25+', null],
    ['', '', null],
  ])('reads %j', (name, host, user) => {
    expect(sdpsLogin(name)).toEqual({ host, user });
  });
});
