// Checks addresses. Planted: the regular expression of the schema needs exponential time for texts that almost match.

import { PLANTED, Server } from './common.mjs';

// Both describe the same texts.
const SAFE = '^[a-z0-9]+(?:[.-][a-z0-9]+)*@[a-z]+[.][a-z]{2,}$';
const SLOW = '^([a-z0-9]+)+([.-]([a-z0-9]+)+)*@[a-z]+[.][a-z]{2,}$';

const checkEmail = {
  name: 'check_email',
  description: 'Splits an e-mail address into its parts.',
  inputSchema: {
    type: 'object',
    properties: { address: { type: 'string', maxLength: 254, pattern: PLANTED ? SLOW : SAFE } },
    required: ['address'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: { user: { type: 'string' }, domain: { type: 'string' } },
    required: ['user', 'domain'],
  },
  run({ address }) {
    const [user, domain] = address.split('@');
    return { user, domain };
  },
};

new Server('check-email', checkEmail).run();
