// Roman numerals. Planted: a request with the id 0 or "" is taken for a notification and never answered.

import { PLANTED, Server } from './common.mjs';

const SIGNS = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

const romanNumeral = {
  name: 'roman_numeral',
  description: 'Writes a number in Roman numerals.',
  inputSchema: {
    type: 'object',
    properties: { number: { type: 'integer', minimum: 1, maximum: 3999 } },
    required: ['number'],
    additionalProperties: false,
  },
  run({ number }) {
    let text = '';
    for (const [value, sign] of SIGNS) for (; number >= value; number -= value) text += sign;
    return text;
  },
};

class RomanNumerals extends Server {
  isNotification(message) {
    return PLANTED ? !message.id : super.isNotification(message);
  }
}

new RomanNumerals('roman-numeral', romanNumeral).run();
