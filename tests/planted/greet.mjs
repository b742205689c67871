// Greets people. Planted: null for the optional language, which the schema allows, ends the process by a rejected promise.

import { PLANTED, Server } from './common.mjs';

const GREETINGS = { en: 'Hello', fr: 'Bonjour', de: 'Guten Tag', it: 'Buongiorno' };

const greet = {
  name: 'greet',
  description: 'Greets somebody in their language.',
  inputSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 100 },
      language: { type: ['string', 'null'], maxLength: 20, description: 'A tag such as de or de-CH; English if null' },
    },
    required: ['name'],
    additionalProperties: false,
  },
  async run({ name, language = 'en' }) {
    const tag = PLANTED ? language.slice(0, 2) : (language ?? 'en').slice(0, 2);
    const greeting = Object.hasOwn(GREETINGS, tag) ? GREETINGS[tag] : GREETINGS.en;
    return `${greeting}, ${name}!`;
  },
};

new Server('greet', greet).run();
