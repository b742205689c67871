// Makes slugs. Planted: after a malformed line, something tries to read it again for ever; answers still come.

import { PLANTED, Server } from './common.mjs';

const slugify = {
  name: 'slugify',
  description: 'Makes a slug for the address of a page from its title.',
  inputSchema: {
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 500 },
      limit: { type: 'integer', minimum: 1, maximum: 100, description: 'Characters of the slug' },
    },
    required: ['title'],
    additionalProperties: false,
  },
  run({ title, limit = 60 }) {
    const plain = title.normalize('NFKD').toLowerCase();
    return plain.match(/[a-z0-9]+/g)?.join('-').slice(0, limit) ?? 'untitled';
  },
};

class Slugs extends Server {
  malformed(line) {
    const again = () => {
      try {
        JSON.parse(line.toString());
      } catch {
        if (!process.stdin.readableEnded) setImmediate(again);
      }
    };
    if (PLANTED) again();
    return super.malformed(line);
  }
}

new Slugs('slugify', slugify).run();
