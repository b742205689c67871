// Formats durations. Planted: the schema says `minimum`, but negative numbers are accepted.

import { PLANTED, Server, problem } from './common.mjs';

const formatDuration = {
  name: 'format_duration',
  description: 'Writes seconds as hours, minutes and seconds.',
  inputSchema: {
    type: 'object',
    properties: {
      seconds: { type: 'integer', minimum: 0, maximum: 359999 },
      separator: { type: 'string', minLength: 1, maxLength: 3 },
    },
    required: ['seconds'],
    additionalProperties: false,
  },
  run({ seconds, separator = ':' }) {
    const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60];
    return parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(separator);
  },
};

class DurationFormatter extends Server {
  problem(tool, given) {
    if (!PLANTED) return super.problem(tool, given);
    const { seconds, ...others } = tool.inputSchema.properties;
    const properties = { ...others, seconds: { ...seconds, minimum: undefined } };
    return problem({ ...tool.inputSchema, properties }, given, 'arguments');
  }
}

new DurationFormatter('format-duration', formatDuration).run();
