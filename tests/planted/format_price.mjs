// Formats prices. Planted: nobody checks whether the required properties are there.

import { PLANTED, Server, problem } from './common.mjs';

const formatPrice = {
  name: 'format_price',
  description: 'Writes a price with its currency.',
  inputSchema: {
    type: 'object',
    properties: {
      cents: { type: 'integer', minimum: 0, maximum: 1000000000 },
      currency: { type: 'string', enum: ['EUR', 'GBP', 'USD'] },
    },
    required: ['cents', 'currency'],
    additionalProperties: false,
  },
  run({ cents, currency }) {
    return `${(cents / 100).toFixed(2)} ${currency}`;
  },
};

class PriceFormatter extends Server {
  problem(tool, given) {
    if (!PLANTED) return super.problem(tool, given);
    return problem({ ...tool.inputSchema, required: [] }, given, 'arguments');
  }
}

new PriceFormatter('format-price', formatPrice).run();
