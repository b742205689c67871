// Parses colours. Planted: when the tool fails, a second answer to the same request follows the first.

import { PLANTED, Server, ToolError } from './common.mjs';

const NAMES = { black: '000000', white: 'ffffff', red: 'ff0000', green: '008000', blue: '0000ff', orange: 'ffa500' };

const parseColour = {
  name: 'parse_colour',
  description: 'Parts of a colour, given as #rrggbb or by name.',
  inputSchema: {
    type: 'object',
    properties: { colour: { type: 'string', minLength: 1, maxLength: 50 } },
    required: ['colour'],
    additionalProperties: false,
  },
  outputSchema: {
    type: 'object',
    properties: Object.fromEntries(
      ['red', 'green', 'blue'].map((part) => [part, { type: 'integer', minimum: 0, maximum: 255 }]),
    ),
    required: ['red', 'green', 'blue'],
  },
  run({ colour }) {
    const digits = Object.hasOwn(NAMES, colour) ? NAMES[colour] : colour.replace(/^#/, '');
    if (!/^[0-9a-f]{6}$/i.test(digits)) throw new ToolError('That is no colour');
    const [red, green, blue] = [0, 2, 4].map((start) => parseInt(digits.slice(start, start + 2), 16));
    return { red, green, blue };
  },
};

class ColourParser extends Server {
  async carryOut(id, tool, given) {
    let failed = false;
    const run = (...parameters) => {
      try {
        return tool.run(...parameters);
      } catch (error) {
        failed = true;
        throw error;
      }
    };
    const answer = await super.carryOut(id, { ...tool, run }, given);
    if (PLANTED && failed) this.send(this.failure(id, -32603, 'Internal error'));
    return answer;
  }
}

new ColourParser('parse-colour', parseColour).run();
