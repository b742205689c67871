// Counts vowels. Planted: after an empty line the reader waits for ever for the end of a header.

import { PLANTED, Server } from './common.mjs';

const countVowels = {
  name: 'count_vowels',
  description: 'Counts the vowels of a text.',
  inputSchema: {
    type: 'object',
    properties: {
      text: { type: 'string', maxLength: 100000 },
      y: { type: 'boolean', description: 'Whether y counts as a vowel' },
    },
    required: ['text'],
    additionalProperties: false,
  },
  run({ text, y = false }) {
    return String((text.match(y ? /[aeiouy]/gi : /[aeiou]/gi) ?? []).length);
  },
};

class VowelCounter extends Server {
  inHeader = false;

  endLine() {
    this.inHeader ||= PLANTED && this.length === 0;
    if (this.inHeader) this.chunks = [];
    else super.endLine();
  }
}

new VowelCounter('count-vowels', countVowels).run();
