// The TypeScript SDK 2.x against the reference server: typescript2.mjs TRANSPORT ERA TARGET...
//
// TRANSPORT is stdio (TARGET is a command line), http or sse (TARGET is a URL). ERA is stateful (`mode: 'legacy'`:
// initialize), or stateless (`mode: 'auto'`: server/discover).

import { Client, ResourceNotFoundError, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import * as checks from './checks.mjs';
import { same, holds, only, failing, pages, includes, Inbox, Steps, WATCHED } from './checks.mjs';

const STATEFUL = '2025-11-25';
const STATELESS = '2026-07-28';
const [transport, era, ...target] = process.argv.slice(2);
const stateless = era === 'stateless';

const open = {
    stdio: () => new StdioClientTransport({ command: target[0], args: target.slice(1) }),
    http: () => new StreamableHTTPClientTransport(new URL(target[0])),
    sse: () => new SSEClientTransport(new URL(target[0]))
};

const inbox = new Inbox();

function clientIn(mode) {
    const capabilities = {
        sampling: {},
        elicitation: { form: { applyDefaults: true }, url: {} },
        roots: { listChanged: true }
    };
    const client = new Client({ name: 'outside', version: '1.0.0' }, { capabilities, versionNegotiation: { mode } });
    client.onerror = problem => inbox.add('problem', String(problem));
    client.fallbackNotificationHandler = async ({ method }) => inbox.add(method);
    client.setNotificationHandler('notifications/message', ({ params }) => inbox.add('log', params.level, params.data));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => inbox.add('updated', params.uri));
    client.setNotificationHandler('notifications/elicitation/complete', ({ params }) =>
        inbox.add('visited', params.elicitationId)
    );
    client.setRequestHandler('roots/list', () => ({ roots: [checks.ROOT] }));
    client.setRequestHandler('sampling/createMessage', ({ params }) => ({
        role: 'assistant',
        model: 'none',
        content: { type: 'text', text: `echo ${params.messages[0].content.text}` }
    }));
    client.setRequestHandler('elicitation/create', ({ params }) => {
        if (params.mode === 'url') {
            inbox.add('asked to visit', params.url);
            return { action: 'accept' };
        }
        if (params.message === 'no') return { action: 'decline' };
        const known = {
            ...{ username: 'ada', email: 'ada@example.com', color: 'blue', ok: true, context: 'the sea' },
            ...(params.message.includes('your name') && { name: 'Ada' })
        };
        const wanted = Object.keys(params.requestedSchema.properties).filter(name => name in known);
        return { action: 'accept', content: Object.fromEntries(wanted.map(name => [name, known[name]])) };
    });
    return client;
}

const client = clientIn(stateless ? 'auto' : 'legacy');

const call = (name, args, options) => client.callTool({ name, arguments: args }, options);
const oneText = result => {
    holds(!result.isError, `isError, with ${JSON.stringify(result.content)}`);
    return only(result.content, 'content').text;
};
const answerOf = (text, opening) => {
    same(text.slice(0, opening.length), opening, 'the beginning');
    return JSON.parse(text.slice(opening.length));
};
const watched = async () => only((await client.readResource({ uri: WATCHED }, { cacheMode: 'bypass' })).contents).text;

/** The pages fetched one by one, which must add up to what the SDK puts together itself. */
async function listed(method, all, members, identity) {
    const found = await pages(params => client.request({ method, params }), members, identity);
    same((await all)[members].map(entry => entry[identity]), found.names, 'the list that the SDK put together');
    return found;
}

const first = {
    async connect() {
        await client.connect(open[transport]());
        same(client.getNegotiatedProtocolVersion(), stateless ? STATELESS : STATEFUL, 'the revision');
        same(client.getProtocolEra(), stateless ? 'modern' : 'legacy', 'the era');
        holds(client.getServerVersion().name, 'the server has no name');
        const declared = client.getServerCapabilities();
        same(declared.resources.subscribe, true, 'resources.subscribe');
        holds(declared.tools && declared.prompts && declared.completions, 'too few capabilities');
        if (stateless) includes(client.getDiscoverResult().supportedVersions, [STATELESS]);
    },
    async 'list-tools'() {
        const { names, count } = await listed('tools/list', client.listTools(), 'tools', 'name');
        const [here, elsewhere] = [checks.STATELESS_TOOLS, checks.STATEFUL_TOOLS];
        includes(names, [...checks.TOOLS, ...(stateless ? here : elsewhere)], stateless ? elsewhere : here);
        holds(count > 1, 'there is only one page');
    },
    async 'list-resources'() {
        const { names, count } = await listed('resources/list', client.listResources(), 'resources', 'uri');
        same([names.sort(), count], [[...checks.RESOURCES].sort(), 2], 'the list with its number of pages');
    },
    async 'list-templates'() {
        const all = client.listResourceTemplates();
        const { names, count } = await listed('resources/templates/list', all, 'resourceTemplates', 'uriTemplate');
        same([names.sort(), count], [[...checks.TEMPLATES].sort(), 2], 'the list with its number of pages');
    },
    async 'list-prompts'() {
        const { names, count } = await listed('prompts/list', client.listPrompts(), 'prompts', 'name');
        includes(names, checks.PROMPTS);
        holds(count > 1, 'there is only one page');
    },
    async call() {
        same(oneText(await call('test_simple_text')), checks.SIMPLE_TEXT);
    },
    async 'call-structured'() {
        const result = await call('test_structured_content');
        same(result.structuredContent, checks.WEATHER, 'structuredContent');
        same(JSON.parse(oneText(result)), checks.WEATHER, 'the text');
        if (stateless) same((await call('test_structured_array')).structuredContent, [1, 2, 3], 'structuredContent');
    },
    async 'call-arguments'() {
        same(JSON.parse(oneText(await call('test_typed_arguments', checks.ARGUMENTS))), checks.ARGUMENTS);
    },
    async 'call-content'() {
        const image = only((await call('test_image_content')).content);
        same([image.mimeType, checks.isPng(image.data)], ['image/png', true], 'the image');
        const audio = only((await call('test_audio_content')).content);
        same([audio.mimeType, checks.isWave(audio.data)], ['audio/wav', true], 'the audio');
        const kinds = (await call('test_multiple_content_types')).content.map(item => item.type);
        same(kinds, ['text', 'image', 'resource'], 'the kinds of content');
    },
    async 'call-error'() {
        const result = await call('test_error_handling');
        const expected = [true, 'This tool intentionally returns an error for testing'];
        same([result.isError, only(result.content).text], expected, 'the result');
        same((await call('test_typed_arguments', { count: 3 })).isError, true, 'isError without a required argument');
    },
    async unknown() {
        same((await failing(call('no_such_tool'))).code, -32602, 'the code');
        same((await failing(client.getPrompt({ name: 'no_such_prompt' }))).code, -32602, 'the code');
        // The SDK turns the code of either era into an error of its own, if the error names the resource.
        const missing = await failing(client.readResource({ uri: 'test://no-such-resource' }));
        same([missing instanceof ResourceNotFoundError, missing.uri], [true, 'test://no-such-resource'], 'the error');
    },
    async read() {
        const text = only((await client.readResource({ uri: 'test://static-text' })).contents);
        same([text.text, text.mimeType], [checks.STATIC_TEXT, 'text/plain'], 'the text');
        const blob = only((await client.readResource({ uri: 'test://static-binary' })).contents);
        holds(checks.isPng(blob.blob), 'the blob is no PNG');
        const data = only((await client.readResource({ uri: 'test://template/123/data' })).contents);
        same([data.uri, JSON.parse(data.text)], ['test://template/123/data', checks.TEMPLATE_DATA], 'the data');
    },
    async prompt() {
        const prompt = { name: 'test_prompt_with_arguments', arguments: { arg1: 'one', arg2: 'zwei' } };
        const message = only((await client.getPrompt(prompt)).messages, 'messages');
        same([message.role, message.content.text], ['user', checks.PROMPT_TEXT], 'the message');
    },
    async complete() {
        const complete = async (ref, name, value, known) =>
            (await client.complete({ ref, argument: { name, value }, ...(known && { context: { arguments: known } }) }))
                .completion;
        const prompt = await complete({ type: 'ref/prompt', name: 'test_prompt_with_arguments' }, 'arg1', 'test');
        same(prompt.values, ['test', 'testing', 'tested'], 'values');
        const cities = { type: 'ref/resource', uri: 'test://city/{country}/{city}' };
        const city = await complete(cities, 'city', 'b', { country: 'germany' });
        same([city.values, city.total], [['berlin', 'bonn'], 2], 'values and total');
        const ids = await complete({ type: 'ref/resource', uri: 'test://template/{id}/data' }, 'id', '');
        same([ids.values.length, ids.hasMore], [100, true], 'number of values and hasMore');
    }
};

const inStateful = {
    async ping() {
        same(await client.ping(), {}, 'the answer');
    },
    async updates() {
        const before = await watched();
        await client.subscribeResource({ uri: WATCHED });
        const since = inbox.items.length;
        same(oneText(await call('test_update_watched_resource')), 'The watched resource has changed.');
        await inbox.until(['updated', WATCHED], since);
        holds((await watched()) !== before, 'the resource is as before the update');
    },
    async unsubscribe() {
        // Another notification on the same way tells when the update would have been here.
        await client.unsubscribeResource({ uri: WATCHED });
        const since = inbox.items.length;
        await call('test_update_watched_resource');
        await call('test_trigger_prompt_change');
        await inbox.until(['notifications/prompts/list_changed'], since);
        holds(!inbox.items.slice(since).some(([kind]) => kind === 'updated'), 'an update came nevertheless');
    },
    async 'list-changes'() {
        for (const [tool, what] of [['tool', 'tools'], ['prompt', 'prompts'], ['resource', 'resources']]) {
            const since = inbox.items.length;
            await call(`test_trigger_${tool}_change`);
            await inbox.until([`notifications/${what}/list_changed`], since);
        }
    },
    async logging() {
        await client.setLoggingLevel('info');
        let since = inbox.items.length;
        await call('test_tool_with_logging');
        for (const message of checks.LOG) await inbox.until(['log', 'info', message], since);
        await client.setLoggingLevel('error');
        since = inbox.items.length;
        await call('test_logging_levels');
        await inbox.until(['log', 'emergency', 'A message of level emergency'], since);
        const levels = inbox.items.slice(since).filter(([kind]) => kind === 'log').map(([, level]) => level);
        same(levels, checks.LOUD, 'the levels');
    },
    async sampling() {
        same(oneText(await call('test_sampling', { prompt: 'How?' })), 'LLM response: echo How?');
    },
    async elicitation() {
        const text = oneText(await call('test_elicitation', { message: 'Who?' }));
        const answer = answerOf(text, 'User response: action=accept, content=');
        same(answer, { username: 'ada', email: 'ada@example.com' }, 'the answer');
        const declined = oneText(await call('test_elicitation', { message: 'no' }));
        same(declined, 'User response: action=decline, content={}');
    },
    async 'elicitation-url'() {
        const since = inbox.items.length;
        same(oneText(await call('test_elicitation_url')), "The user's answer: accept");
        const asked = only(inbox.items.slice(since).filter(([kind]) => kind === 'asked to visit'));
        await inbox.until(['visited', asked[1].split('/').at(-1)], since);
        const error = await failing(call('test_url_elicitation_required'));
        same([error.code, only(error.elicitations).mode], [-32042, 'url'], 'the error');
    },
    async 'elicitation-defaults'() {
        const text = oneText(await call('test_elicitation_sep1034_defaults'));
        same(answerOf(text, 'Elicitation completed: action=accept, content='), checks.DEFAULTS, 'the answer');
    },
    async roots() {
        same(answerOf(oneText(await call('test_roots')), 'Roots: '), [checks.ROOT], 'the roots');
    }
};

const asking = (tool, answer) => async () => same(oneText(await call(`test_input_required_result_${tool}`)), answer);

const inStateless = {
    async updates() {
        const before = await watched();
        const subscription = await client.listen({ resourceSubscriptions: [WATCHED] });
        same(subscription.honoredFilter.resourceSubscriptions, [WATCHED], 'what the server honours');
        const since = inbox.items.length;
        await call('test_trigger_tool_change');
        await call('test_update_watched_resource');
        await inbox.until(['updated', WATCHED], since);
        same(inbox.items.slice(since), [['updated', WATCHED]], 'what came');
        holds((await watched()) !== before, 'the resource is as before the update');
        await subscription.close();
        same(await subscription.closed, 'local', 'the end');
    },
    async unsubscribe() {
        // Of two at once one ends; the other goes on alone.
        const first = await client.listen({ toolsListChanged: true });
        const second = await client.listen({ promptsListChanged: true });
        let since = inbox.items.length;
        await call('test_trigger_prompt_change');
        await inbox.until(['notifications/prompts/list_changed'], since);
        await second.close();
        since = inbox.items.length;
        await call('test_trigger_prompt_change');
        await call('test_trigger_tool_change');
        await inbox.until(['notifications/tools/list_changed'], since);
        same(inbox.items.slice(since), [['notifications/tools/list_changed']], 'what came');
        await first.close();
    },
    async 'list-changes'() {
        const wanted = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
        const subscription = await client.listen(wanted);
        same({ ...subscription.honoredFilter }, wanted, 'what the server honours');
        for (const [tool, what] of [['tool', 'tools'], ['prompt', 'prompts'], ['resource', 'resources']]) {
            const since = inbox.items.length;
            await call(`test_trigger_${tool}_change`);
            await inbox.until([`notifications/${what}/list_changed`], since);
        }
        await subscription.close();
    },
    async logging() {
        const since = inbox.items.length;
        await call('test_logging_levels');
        const meta = { 'io.modelcontextprotocol/logLevel': 'error' };
        await client.callTool({ name: 'test_logging_levels', _meta: meta });
        await inbox.until(['log', 'emergency', 'A message of level emergency'], since);
        const levels = inbox.items.slice(since).filter(([kind]) => kind === 'log').map(([, level]) => level);
        same(levels, checks.LOUD, 'the levels');
    },
    sampling: asking('sampling', 'The model said: echo What is the capital of France?'),
    elicitation: asking('elicitation', 'Hello, Ada!'),
    roots: asking('list_roots', 'Roots: file:///outside/root'),
    'ask-several': asking('multiple_inputs', 'Ada: echo Write a short greeting. (file:///outside/root)'),
    'ask-twice': asking('multi_round', 'Ada likes blue.'),
    'ask-with-state': asking('request_state', 'state-ok'),
    async 'ask-for-prompt'() {
        const result = await client.getPrompt({ name: 'test_input_required_result_prompt' });
        same(only(result.messages, 'messages').content.text, 'Use this context: the sea');
    },
    async 'ask-by-hand'() {
        // The rounds by hand, with the state altered on the way.
        const name = 'test_input_required_result_tampered_state';
        const asked = await client.callTool({ name }, { allowInputRequired: true });
        same([asked.resultType, Object.keys(asked.inputRequests)], ['input_required', ['confirm']], 'the question');
        const inputResponses = { confirm: { action: 'accept', content: { ok: true } } };
        const { requestState } = asked;
        same(oneText(await client.callTool({ name, inputResponses, requestState })), 'The state is intact');
        const altered = await failing(client.callTool({ name, inputResponses, requestState: `${requestState}x` }));
        same(altered.code, -32602, 'the code');
    },
    async 'call-with-headers'() {
        const given = { region: 'zürich ', count: 7, urgent: true, filter: { tenant: 'a=b' } };
        same(answerOf(oneText(await call('test_header_arguments', given)), 'Given: '), given, 'the arguments');
    },
    async pinned() {
        const other = clientIn({ pin: STATELESS });
        await other.connect(open[transport]());
        same(other.getNegotiatedProtocolVersion(), STATELESS, 'the revision');
        same(oneText(await other.callTool({ name: 'test_simple_text' })), checks.SIMPLE_TEXT);
        await other.close();
    },
    async capability() {
        const poor = new Client({ name: 'outside', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
        await poor.connect(open[transport]());
        const error = await failing(poor.callTool({ name: 'test_missing_capability' }));
        same([error.code, error.data], [-32021, { requiredCapabilities: { sampling: {} } }], 'the error');
        await poor.close();
    }
};

const last = {
    async progress() {
        // The SDK loses what it reads together with the answer, so what came is looked at as well.
        const [seen, came] = [[], []];
        const take = client.transport.onmessage;
        client.transport.onmessage = (message, extra) => {
            const { progress, total } = message.params ?? {};
            if (message.method === 'notifications/progress') came.push({ progress, total });
            take.call(client.transport, message, extra);
        };
        const onprogress = ({ progress, total }) => seen.push({ progress, total });
        oneText(await call('test_tool_with_progress', undefined, { onprogress }));
        same(came, checks.PROGRESS, 'the progress that came');
        same(seen, came.slice(0, seen.length), 'the progress that the SDK reports');
    },
    async parallel() {
        const counts = Array.from({ length: 20 }, (_, number) => number);
        const results = await Promise.all(counts.map(count => call('test_typed_arguments', { text: 'x', count })));
        same(results.map(result => JSON.parse(oneText(result)).count), counts, 'the answers');
    },
    async cancel() {
        // Were it not cancelled, the update would come before the slow call ends.
        const before = await watched();
        const stop = new AbortController();
        const later = failing(call('test_update_later', { seconds: 0.4 }, { signal: stop.signal }));
        await call('test_slow', { seconds: 0.05 });
        stop.abort('enough');
        await later;
        same(oneText(await call('test_slow', { seconds: 0.8 })), 'Worked for 0.8 seconds.');
        same(await watched(), before, 'the resource that the cancelled call would have changed');
    },
    async resume() {
        same(oneText(await call('test_reconnection', undefined, { timeout: 10_000 })), 'The result came late, but it came.');
    },
    async 'no-complaints'() {
        const lost = 'Error: Received a progress notification for an unknown token';
        const problems = inbox.items.filter(([kind, what]) => kind === 'problem' && !what.startsWith(lost));
        same(problems, [], 'what the SDK complained about');
    }
};

const run = new Steps();
if (stateless) {
    run.cannot('ping', 'removed in 2026-07-28');
    run.cannot('elicitation-url', 'the fixture is of the stateful era');
    run.cannot('elicitation-defaults', 'the fixture is of the stateful era');
}
for (const [name, step] of Object.entries({ ...first, ...(stateless ? inStateless : inStateful), ...last })) {
    if (name !== 'resume' || (transport === 'http' && !stateless)) await run.step(name, step);
}
if (transport === 'http' && !stateless) await client.transport.terminateSession();
await client.close();

if (transport === 'sse') {
    await run.step('negotiated', async () => {
        // Which era is spoken over this old transport is left to the server; what it says must then hold.
        const other = clientIn('auto');
        await other.connect(open.sse());
        includes([STATEFUL, STATELESS], [other.getNegotiatedProtocolVersion()]);
        same(oneText(await other.callTool({ name: 'test_simple_text' })), checks.SIMPLE_TEXT);
        await other.close();
    });
}
process.exitCode = run.failures ? 1 : 0;
