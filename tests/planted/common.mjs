// What the planted Node servers share: MCP over stdio, revisions 2024-11-05 to 2025-11-25, done with care.
//
// There is no safety net: an exception or rejection that nobody expected ends the process. So a server whose tools are
// right stays up, and one with a planted exception dies of it. The methods of `Server` are the places where other bugs
// are planted.

export const PLANTED = process.argv.includes('--planted');

const REVISIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const METHODS = ['initialize', 'ping', 'tools/list', 'tools/call'];
const LINE_LIMIT = 16 * 1024 * 1024; // bytes of one message
const DEPTH_LIMIT = 128; // levels of nesting

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

const NEWLINE = 10;

/** The tool cannot do what was asked, and says why. */
export class ToolError extends Error {}

/** A tool is `{ name, description, inputSchema, outputSchema?, run }`; `run` may be async. */
export class Server {
  constructor(name, ...tools) {
    this.name = name;
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.revision = null;
    this.chunks = [];
    this.length = 0;
  }

  run() {
    process.stdout.on('error', () => process.exit(0)); // nobody listens any more
    process.stdin.on('data', (chunk) => this.feed(chunk));
    process.stdin.on('end', () => this.length && this.endLine());
  }

  /** Cuts the input into lines. */
  feed(chunk) {
    let start = 0;
    for (let end; (end = chunk.indexOf(NEWLINE, start)) >= 0; start = end + 1) {
      this.keep(chunk.subarray(start, end));
      this.endLine();
    }
    this.keep(chunk.subarray(start));
  }

  keep(part) {
    this.length += part.length;
    if (this.length > LINE_LIMIT) this.chunks = [];
    else this.chunks.push(part);
  }

  endLine() {
    const line = this.length > LINE_LIMIT ? null : Buffer.concat(this.chunks);
    this.chunks = [];
    this.length = 0;
    this.receive(line);
  }

  async receive(line) {
    const answer = await this.reply(line);
    if (answer !== null) this.send(answer);
  }

  /** The text to send back, or null. */
  async reply(line) {
    if (line === null) return this.failure('null', INVALID_REQUEST, 'Message too long');
    if (line.every((byte) => byte === 32 || byte === 9 || byte === 13)) return null;
    let message, facts;
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line);
      message = JSON.parse(text);
      facts = survey(text);
    } catch {
      return this.malformed(line);
    }
    const { ids, deep } = facts;
    if (!Array.isArray(message)) return this.answer(message, ids[0], deep);
    if (this.revision !== '2025-03-26' || message.length === 0) {
      return this.failure('null', INVALID_REQUEST, 'Invalid request');
    }
    const answers = await Promise.all(message.map((each, index) => this.answer(each, ids[index], deep, true)));
    const texts = answers.filter((answer) => answer !== null);
    return texts.length ? `[${texts.join(',')}]` : null;
  }

  /** The line is no JSON. */
  malformed() {
    return this.failure('null', PARSE_ERROR, 'Parse error');
  }

  /** The response as text, or null if there is none; `numeral` is the id as written, if it is a number. */
  async answer(message, numeral, deep, inBatch = false) {
    if (!isObject(message)) return this.failure('null', INVALID_REQUEST, 'Invalid request');
    const { method } = message;
    const named = typeof method === 'string';
    // A response; we never asked anything.
    if (!named && (Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error'))) return null;
    if (named && this.isNotification(message)) {
      if (isObject(message.params) && !deep) this.notified(method, message.params);
      return null;
    }
    const id = Object.hasOwn(message, 'id') ? this.idText(message.id, numeral) : 'null';
    if (id === 'null' || message.jsonrpc !== '2.0' || !named) {
      return this.failure(id, INVALID_REQUEST, 'Invalid request');
    }
    if (inBatch && method === 'initialize') {
      return this.failure(id, INVALID_REQUEST, 'initialize must not be part of a batch');
    }
    if (!METHODS.includes(method)) return this.failure(id, METHOD_NOT_FOUND, 'Method not found');
    if (deep) return this.failure(id, INVALID_PARAMS, 'Nested too deeply');
    const params = Object.hasOwn(message, 'params') ? wellFormed(message.params) : {};
    if (!isObject(params)) return this.failure(id, INVALID_PARAMS, 'params must be an object');
    if (method === 'ping') return this.success(id, {});
    if (method === 'initialize') return this.initialize(id, params);
    if (this.revision === null) return this.failure(id, INVALID_REQUEST, 'Not initialized');
    return method === 'tools/call' ? this.call(id, params) : this.list(id, params);
  }

  isNotification(message) {
    return !Object.hasOwn(message, 'id');
  }

  /** A notification came. */
  notified(method, params) {}

  initialize(id, params) {
    const { clientInfo, protocolVersion, capabilities } = params;
    const named = isObject(clientInfo) && [clientInfo.name, clientInfo.version].every((x) => typeof x === 'string');
    if (!named || typeof protocolVersion !== 'string' || !isObject(capabilities)) {
      return this.failure(id, INVALID_PARAMS, 'protocolVersion, capabilities and clientInfo are needed');
    }
    if (this.revision !== null) return this.failure(id, INVALID_REQUEST, 'Already initialized');
    this.revision = REVISIONS.includes(protocolVersion) ? protocolVersion : REVISIONS.at(-1);
    const serverInfo = { name: this.name, version: '1.0.0' };
    return this.success(id, { protocolVersion: this.revision, capabilities: { tools: {} }, serverInfo });
  }

  list(id, params) {
    if (Object.hasOwn(params, 'cursor')) return this.failure(id, INVALID_PARAMS, 'Unknown cursor');
    const tools = [...this.tools.values()].map(({ name, description, inputSchema, outputSchema, readOnly = true }) => ({
      name,
      description,
      inputSchema,
      ...(this.revision >= '2025-03-26' && { annotations: { readOnlyHint: readOnly } }),
      ...(this.revision >= '2025-06-18' && outputSchema && { outputSchema }),
    }));
    return this.success(id, { tools });
  }

  async call(id, params) {
    const { name } = params;
    const given = Object.hasOwn(params, 'arguments') ? params.arguments : {};
    if (typeof name !== 'string' || !isObject(given)) {
      return this.failure(id, INVALID_PARAMS, 'name must be a string and arguments an object');
    }
    const tool = this.tools.get(name);
    if (!tool) return this.failure(id, INVALID_PARAMS, 'Unknown tool');
    const trouble = this.problem(tool, given);
    if (trouble) {
      return this.revision >= '2025-11-25' ? this.toolError(id, trouble) : this.failure(id, INVALID_PARAMS, trouble);
    }
    return this.carryOut(id, tool, given);
  }

  /** What is wrong with the arguments, or null. */
  problem(tool, given) {
    return problem(tool.inputSchema, given, 'arguments');
  }

  async carryOut(id, tool, given) {
    let outcome;
    try {
      outcome = await tool.run(given, id);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      return this.toolError(id, error.message);
    }
    if (outcome === null) return null; // cancelled
    if (typeof outcome === 'string') return this.success(id, { content: [{ type: 'text', text: outcome }] });
    const content = [{ type: 'text', text: JSON.stringify(outcome) }];
    return this.success(id, { content, ...(this.revision >= '2025-06-18' && { structuredContent: outcome }) });
  }

  toolError(id, text) {
    return this.success(id, { content: [{ type: 'text', text }], isError: true });
  }

  success(id, result) {
    return `{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`;
  }

  failure(id, code, message) {
    return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify({ code, message })}}`;
  }

  /** The id as it stands in the response; `null` for what is no id. Numbers as they were written: ours are inexact. */
  idText(id, numeral) {
    if (typeof id === 'string') return id.isWellFormed() ? JSON.stringify(id) : 'null';
    const whole = typeof id === 'number' && (Number.isInteger(id) || /^-?[0-9]+$/.test(numeral));
    return whole ? numeral : 'null';
  }

  send(text) {
    process.stdout.write(`${text}\n`);
  }
}

export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Without halves of surrogate pairs, which UTF-8 cannot carry. */
function wellFormed(value) {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]));
}

/**
 * What `JSON.parse` does not tell about a text that it accepts: the numbers that are ids of messages, as they were
 * written, and whether anything is nested too deeply.
 */
function survey(text) {
  const ids = [];
  const open = [];
  let [deep, index, key, afterColon] = [false, 0, null, false];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    const inMessage = open.at(-1) === '{' && (open.length === 1 || (open.length === 2 && open[0] === '['));
    if (sign === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (inMessage && !afterColon) key = JSON.parse(text.slice(start, at + 1));
    } else if (sign === '{' || sign === '[') {
      open.push(sign);
      deep ||= open.length > DEPTH_LIMIT;
      afterColon = false;
    } else if (sign === '}' || sign === ']') {
      open.pop();
    } else if (sign === ':') {
      afterColon = true;
    } else if (sign === ',') {
      afterColon = false;
      if (open.length === 1 && open[0] === '[') index++;
    } else if (inMessage && afterColon && key === 'id' && (sign === '-' || (sign >= '0' && sign <= '9'))) {
      const start = at;
      while (/[-+.eE0-9]/.test(text[at + 1])) at++;
      ids[index] = text.slice(start, at + 1);
    }
  }
  return { ids, deep };
}

const TYPES = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  number: (value) => Number.isFinite(value),
  string: (value) => typeof value === 'string',
  array: (value) => Array.isArray(value),
  object: isObject,
};

/** The first thing that the schema forbids, in words; null if it allows the value. */
export function problem(schema, value, where) {
  const types = [schema.type ?? []].flat();
  if (types.length && !types.some((name) => TYPES[name](value))) return `${where} must be of type ${types.join(' or ')}`;
  if (schema.enum && !schema.enum.includes(value)) return `${where} must be one of ${schema.enum.join(', ')}`;
  if (typeof value === 'number') {
    if (value < schema.minimum) return `${where} must be at least ${schema.minimum}`;
    if (value > schema.maximum) return `${where} must be at most ${schema.maximum}`;
  }
  if (typeof value === 'string') {
    const length = schema.minLength || schema.maxLength !== undefined ? characters(value) : 0;
    if (length < schema.minLength || length > schema.maxLength) return `${where} is too short or too long`;
    if (schema.pattern && !new RegExp(schema.pattern, 'u').test(value)) return `${where} must match ${schema.pattern}`;
  }
  if (Array.isArray(value)) {
    if (value.length < schema.minItems || value.length > schema.maxItems) return `${where} has too few or too many items`;
    for (const [index, item] of value.entries()) {
      const trouble = problem(schema.items ?? {}, item, `${where}[${index}]`);
      if (trouble) return trouble;
    }
  }
  if (isObject(value)) {
    const properties = schema.properties ?? {};
    const missing = schema.required?.find((name) => !Object.hasOwn(value, name));
    if (missing !== undefined) return `${where}.${missing} is required`;
    if (schema.additionalProperties === false && Object.keys(value).some((name) => !Object.hasOwn(properties, name))) {
      return `${where} has an unknown property`;
    }
    for (const [name, part] of Object.entries(properties)) {
      const trouble = Object.hasOwn(value, name) ? problem(part, value[name], `${where}.${name}`) : null;
      if (trouble) return trouble;
    }
  }
  return null;
}

/** As JSON Schema counts them: not code units. */
function characters(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
