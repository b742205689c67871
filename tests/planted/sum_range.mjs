// Sums ranges. Planted: with a step of 0 the loop never ends.

import { PLANTED, Server, ToolError } from './common.mjs';

const bound = { type: 'integer', minimum: -10000, maximum: 10000 };

const sumRange = {
  name: 'sum_range',
  description: 'Sums the numbers from start up to, but without, stop.',
  inputSchema: {
    type: 'object',
    properties: { start: bound, stop: bound, step: { type: 'integer', minimum: 0, maximum: 1000 } },
    required: ['start', 'stop'],
    additionalProperties: false,
  },
  run({ start, stop, step = 1 }) {
    if (step === 0 && !PLANTED) throw new ToolError('The step must not be 0');
    let sum = 0;
    for (let number = start; number < stop; number += step) sum += number;
    return String(sum);
  },
};

new Server('sum-range', sumRange).run();
