// Expands tabs with the system's `expand`. Planted: the text goes through a shell without being quoted.

import { execFileSync, execSync } from 'node:child_process';
import { tmpdir } from 'node:os';

import { PLANTED, Server, ToolError } from './common.mjs';

const LIMITS = { cwd: tmpdir(), env: { PATH: '/usr/bin:/bin' }, timeout: 2000, maxBuffer: 1024 * 1024 };

const expandTabs = {
  name: 'expand_tabs',
  description: 'Puts spaces in the place of the tabs of a text, up to the next multiple of the width.',
  inputSchema: {
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 1, maxLength: 2000 },
      width: { type: 'integer', minimum: 1, maximum: 8 },
    },
    required: ['text'],
    additionalProperties: false,
  },
  run({ text, width = 4 }) {
    const options = { ...LIMITS, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] };
    try {
      if (PLANTED) return execSync(`echo ${text} | expand -t ${width}`, options).replace(/\n$/, '');
      return execFileSync('expand', ['-t', String(width)], { ...options, input: text });
    } catch {
      throw new ToolError('That did not work');
    }
  },
};

new Server('expand-tabs', expandTabs).run();
