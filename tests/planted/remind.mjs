// Reminds after a while, and can be cancelled. Planted: answers take the ids of the requests in the order of these, so
// that two answers are swapped if the later request is done first.

import { PLANTED, Server } from './common.mjs';

const CALLS_LIMIT = 1000; // at a time

const calls = new Set(); // those that wait: their id as text, and what cancels them

const remind = {
  name: 'remind',
  description: 'Says something after a while.',
  inputSchema: {
    type: 'object',
    properties: {
      text: { type: 'string', maxLength: 1000 },
      delay: { type: 'integer', minimum: 0, maximum: 1000, description: 'Milliseconds' },
    },
    required: ['text'],
    additionalProperties: false,
  },
  async run({ text, delay = 0 }, id) {
    if (calls.size === CALLS_LIMIT) return `Too busy to wait: ${text}`;
    const call = { id };
    calls.add(call);
    const cancelled = await new Promise((wake) => {
      const timer = setTimeout(wake, delay, false);
      call.cancel = () => {
        clearTimeout(timer);
        wake(true);
      };
    });
    calls.delete(call);
    return cancelled ? null : `Remember: ${text}`;
  },
};

class Reminder extends Server {
  queue = [];

  notified(method, params) {
    if (method !== 'notifications/cancelled' || !Object.hasOwn(params, 'requestId')) return;
    const { requestId } = params;
    // The numbers that we read are inexact beyond these.
    const exact = typeof requestId === 'string' || Number.isSafeInteger(requestId);
    const id = exact ? JSON.stringify(requestId) : null;
    for (const call of calls) if (call.id === id) call.cancel();
  }

  async carryOut(id, tool, given) {
    if (!PLANTED) return super.carryOut(id, tool, given);
    this.queue.push(id);
    const answer = await super.carryOut(id, tool, given);
    if (answer !== null) return answer.replace(`"id":${id},`, () => `"id":${this.queue.shift()},`);
    this.queue.splice(this.queue.indexOf(id), 1);
    return null;
  }
}

new Reminder('remind', remind).run();
