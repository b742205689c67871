// Tests for primes. Planted: ids beyond the exact integers of a double come back as strings.

import { PLANTED, Server } from './common.mjs';

const isPrime = {
  name: 'is_prime',
  description: 'Tells whether a number is prime.',
  inputSchema: {
    type: 'object',
    properties: { number: { type: 'integer', minimum: 0, maximum: 1000000000 } },
    required: ['number'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { prime: { type: 'boolean' }, divisor: { type: 'integer', minimum: 2 } },
    required: ['prime'],
  },
  run({ number }) {
    for (let divisor = 2; divisor * divisor <= number; divisor++) {
      if (number % divisor === 0) return { prime: false, divisor };
    }
    return { prime: number > 1 };
  },
};

class Primes extends Server {
  idText(id, numeral) {
    const text = super.idText(id, numeral);
    const large = text === numeral && !Number.isSafeInteger(id);
    return PLANTED && large ? JSON.stringify(text) : text;
  }
}

new Primes('is-prime', isPrime).run();
