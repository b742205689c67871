// What the two TypeScript programs share: steps, comparisons, and a place for what the server says unasked.

import { isDeepStrictEqual, inspect } from 'node:util';

const PATIENCE = 15_000; // milliseconds for one step

/** Runs steps one after another and prints one line for each. */
export class Steps {
    failures = 0;

    async step(name, run) {
        const patience = deadline(PATIENCE, 'the step takes too long');
        try {
            await Promise.race([run(), patience.passed]);
            console.log(`ok ${name}`);
        } catch (problem) {
            this.failures += 1;
            console.log(`FAIL ${name} ${String(problem).replace(/\s+/g, ' ')}`);
            console.error(problem);
        } finally {
            patience.stop();
        }
    }

    cannot(name, why) {
        console.log(`n/a ${name} ${why}`);
    }
}

function deadline(milliseconds, why) {
    let timer;
    const passed = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(why)), milliseconds);
    });
    return { passed, stop: () => clearTimeout(timer) };
}

export function same(actual, expected, what = 'value') {
    if (!isDeepStrictEqual(actual, expected)) {
        const show = value => inspect(value, { depth: 8, breakLength: Infinity });
        throw new Error(`${what} is ${show(actual)}, not ${show(expected)}`);
    }
}

export function holds(condition, what) {
    if (!condition) throw new Error(what);
}

export function only(items, what = 'list') {
    same(items.length, 1, `the length of the ${what}`);
    return items[0];
}

/** The error that the call ends with; anything else is a failure. */
export async function failing(call) {
    let answer;
    try {
        answer = await call;
    } catch (error) {
        return error;
    }
    throw new Error(`no error, but ${inspect(answer, { depth: 8, breakLength: Infinity })}`);
}

/** The names of all entries of a paginated list, and the number of its pages; entries must be unique. */
export async function pages(fetch, members, identity) {
    const names = [];
    let count = 0;
    for (let cursor; count === 0 || cursor !== undefined; ) {
        const page = await fetch(cursor === undefined ? {} : { cursor });
        names.push(...page[members].map(entry => entry[identity]));
        count += 1;
        holds(count < 50, 'the list never ends');
        cursor = page.nextCursor;
    }
    same(new Set(names).size, names.length, 'the number of different names');
    return { names, count };
}

export function includes(names, wanted, unwanted = []) {
    for (const name of wanted) holds(names.includes(name), `${name} is missing among ${names}`);
    for (const name of unwanted) holds(!names.includes(name), `${name} does not belong among ${names}`);
}

/** What arrived unasked, in order. */
export class Inbox {
    items = [];
    #waiting = [];

    add(...item) {
        this.items.push(item);
        for (const wake of this.#waiting.splice(0)) wake();
    }

    /** Waits for the item to arrive; says what came instead if it does not. */
    async until(item, since = 0) {
        const patience = deadline(PATIENCE - 5000, 'too long');
        try {
            while (!this.items.slice(since).some(other => isDeepStrictEqual(other, item))) {
                await Promise.race([new Promise(wake => this.#waiting.push(wake)), patience.passed]);
            }
        } catch {
            throw new Error(`${inspect(item)} never came, only ${inspect(this.items.slice(since))}`);
        } finally {
            patience.stop();
        }
    }
}

export const bytes = text => Buffer.from(text, 'base64');
export const isPng = text => bytes(text).subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
export const isWave = text => bytes(text).toString('latin1', 0, 4) === 'RIFF';

export const SIMPLE_TEXT = 'This is a simple text response for testing.';
export const STATIC_TEXT = 'This is the content of the static text resource.';
export const PROMPT_TEXT = "Prompt with arguments: arg1='one', arg2='zwei'";
export const TEMPLATE_DATA = { id: '123', templateTest: true, data: 'Data for ID: 123' };
export const WEATHER = { temperature: 22.5, conditions: 'sunny', humidity: 65 };
export const ARGUMENTS = { text: 'grün ☃', count: 3, ratio: 0.5, flag: true, color: 'red', tags: ['a', 'b'] };
export const WATCHED = 'test://watched-resource';
export const RESOURCES = ['test://static-text', 'test://static-binary', WATCHED];
export const TEMPLATES = ['test://template/{id}/data', 'test://city/{country}/{city}'];
export const PROMPTS = ['test_simple_prompt', 'test_prompt_with_arguments', 'test_prompt_with_city'];
export const TOOLS = ['test_simple_text', 'test_structured_content', 'test_tool_with_progress'];
export const STATEFUL_TOOLS = ['test_sampling', 'test_elicitation', 'test_roots', 'test_tool_with_logging'];
export const STATELESS_TOOLS = ['test_input_required_result_sampling', 'test_structured_array', 'test_logging_tool'];
export const PROGRESS = [0, 50, 100].map(progress => ({ progress, total: 100 }));
export const LOG = ['Tool execution started', 'Tool processing data', 'Tool execution completed'];
export const LOUD = ['error', 'critical', 'alert', 'emergency'];
export const DEFAULTS = { name: 'John Doe', age: 30, score: 95.5, status: 'active', verified: true };
export const ROOT = { uri: 'file:///outside/root', name: 'outside' };
