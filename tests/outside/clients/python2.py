"""The Python SDK 2.x against the reference server: python2.py TRANSPORT ERA TARGET...

TRANSPORT is stdio (TARGET is a command line), http or sse (TARGET is a URL). ERA is stateful (`mode="legacy"`:
initialize), or stateless (`mode="auto"`: server/discover).
"""

import base64
import json
import sys
import warnings

import anyio
import mcp_types as types
from mcp import Client, MCPDeprecationWarning, MCPError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged

from checks import *

STATEFUL, STATELESS = "2025-11-25", "2026-07-28"


def server(transport, target):
    match transport:
        case "stdio":
            return StdioServerParameters(command=target[0], args=target[1:])
        case "http":
            return target[0]
        case "sse":
            return sse_client(target[0])


async def main(transport, era, *target):
    steps, inbox = Steps(), Inbox()
    stateless = era == "stateless"

    async def sampling(_, params):
        question = params.messages[0].content.text
        return types.CreateMessageResult(
            role="assistant", model="none", content=types.TextContent(type="text", text=f"echo {question}")
        )

    async def elicitation(_, params):
        if isinstance(params, types.ElicitRequestURLParams):
            inbox.add(("asked to visit", params.url))
            return types.ElicitResult(action="accept")
        if params.message == "no":
            return types.ElicitResult(action="decline")
        known = {"username": "ada", "email": "ada@example.com", "name": "Ada", "color": "blue", "ok": True,
                 "context": "the sea"}  # fmt: skip
        wanted = params.requested_schema["properties"]
        return types.ElicitResult(action="accept", content={name: known[name] for name in wanted})

    async def roots(_):
        return types.ListRootsResult(roots=[types.Root(uri="file:///outside/root", name="outside")])

    async def log(params):
        inbox.add(("log", params.level, params.data))

    async def other(message):
        match message:
            case types.ResourceUpdatedNotification(params=params):
                inbox.add(("updated", str(params.uri)))
            case types.ElicitCompleteNotification(params=params):
                inbox.add(("visited", params.elicitation_id))
            case Exception():
                inbox.add(("problem", repr(message)))
            case _:
                inbox.add((message.method,))

    def client(mode, **options):
        return Client(
            server(transport, target),
            mode=mode,
            sampling_callback=sampling,
            elicitation_callback=elicitation,
            list_roots_callback=roots,
            logging_callback=log,
            message_handler=other,
            **options,
        )

    async with client("auto" if stateless else "legacy") as connected:
        await check(steps, connected, inbox, stateless, client)
    if transport == "sse":

        async def negotiated():
            # Which era is spoken over this old transport is left to the server; what it says must then hold.
            async with client("auto") as connected:
                holds(connected.protocol_version in (STATELESS, STATEFUL), connected.protocol_version)
                same(only((await connected.call_tool("test_simple_text")).content).text, SIMPLE_TEXT)

        await steps.step("negotiated", negotiated)
    return steps.failures


async def check(steps, client, inbox, stateless, another):
    transport_is_http = isinstance(client.server, str)

    def one_text(result):
        same(result.is_error, False, "is_error")
        return only(result.content, "content").text

    async def call(name, arguments=None, **options):
        return await client.call_tool(name, arguments, **options)

    async def connect():
        same(client.protocol_version, STATELESS if stateless else STATEFUL, "the revision")
        holds(client.server_info.name, "the server has no name")
        declared = client.server_capabilities
        same(declared.resources.subscribe, True, "resources.subscribe")
        holds(declared.tools and declared.prompts and declared.completions, "too few capabilities")
        if stateless:
            holds(STATELESS in client.session.discover_result.supported_versions, "the revision is not supported")

    async def ping():
        same((await client.send_ping()).model_dump(exclude_none=True, exclude={"result_type"}), {}, "the answer")

    async def pinned():
        async with another(STATELESS) as direct:
            same(direct.protocol_version, STATELESS, "the revision")
            same(one_text(await direct.call_tool("test_simple_text")), SIMPLE_TEXT)

    async def tools():
        names, count = await pages(
            lambda cursor: client.list_tools(cursor=cursor), lambda page: page.tools, lambda tool: tool.name
        )
        here, elsewhere = (STATELESS_TOOLS, STATEFUL_TOOLS) if stateless else (STATEFUL_TOOLS, STATELESS_TOOLS)
        holds(TOOLS | here <= set(names), f"tools are missing among {names}")
        holds(not elsewhere & set(names), f"tools of the other era are among {names}")
        holds(count > 1, "there is only one page")

    async def resources():
        names, count = await pages(
            lambda cursor: client.list_resources(cursor=cursor),
            lambda page: page.resources,
            lambda resource: str(resource.uri),
        )
        same((set(names), count), (RESOURCES, 2), "the list with its number of pages")

    async def templates():
        names, count = await pages(
            lambda cursor: client.list_resource_templates(cursor=cursor),
            lambda page: page.resource_templates,
            lambda template: template.uri_template,
        )
        same((set(names), count), (TEMPLATES, 2), "the list with its number of pages")

    async def prompts():
        names, count = await pages(
            lambda cursor: client.list_prompts(cursor=cursor), lambda page: page.prompts, lambda prompt: prompt.name
        )
        holds(PROMPTS <= set(names) and count > 1, f"{count} page(s) with {names}")

    async def simple():
        same(one_text(await call("test_simple_text")), SIMPLE_TEXT)

    async def structured():
        result = await call("test_structured_content")
        same(result.structured_content, WEATHER, "structured_content")
        same(json.loads(one_text(result)), WEATHER, "the text")
        if stateless:
            same((await call("test_structured_array")).structured_content, [1, 2, 3], "structured_content")

    async def arguments():
        given = {"text": "grün ☃", "count": 3, "ratio": 0.5, "flag": True, "color": "red", "tags": ["a", "b"]}
        same(json.loads(one_text(await call("test_typed_arguments", given))), given)

    async def header_arguments():
        given = {"region": "zürich ", "count": 7, "urgent": True, "filter": {"tenant": "a=b"}}
        text = one_text(await call("test_header_arguments", given))
        same(json.loads(text.removeprefix("Given: ")), given)

    async def content():
        image = only((await call("test_image_content")).content)
        same((image.mime_type, base64.b64decode(image.data)[:8]), ("image/png", PNG), "the image")
        audio = only((await call("test_audio_content")).content)
        same((audio.mime_type, base64.b64decode(audio.data)[:4]), ("audio/wav", b"RIFF"), "the audio")
        kinds = [item.type for item in (await call("test_multiple_content_types")).content]
        same(kinds, ["text", "image", "resource"], "the kinds of content")

    async def tool_error():
        result = await call("test_error_handling")
        same((result.is_error, only(result.content).text),
             (True, "This tool intentionally returns an error for testing"), "the result")
        same((await call("test_typed_arguments", {"count": 3})).is_error, True, "is_error without a required argument")

    async def unknown():
        for code, ask in [
            (-32602, call("no_such_tool")),
            (-32602, client.get_prompt("no_such_prompt")),
            (-32602 if stateless else -32002, client.read_resource("test://no-such-resource")),
        ]:
            try:
                answer = await ask
            except MCPError as error:
                same(error.code, code, "the code")
            else:
                raise AssertionError(f"no error, but {answer!r}")

    async def read():
        text = only((await client.read_resource("test://static-text")).contents)
        same((text.text, text.mime_type), (STATIC_TEXT, "text/plain"), "the text")
        blob = only((await client.read_resource("test://static-binary")).contents)
        same(base64.b64decode(blob.blob)[:8], PNG, "the start of the blob")
        data = only((await client.read_resource("test://template/123/data")).contents)
        same((str(data.uri), json.loads(data.text)), ("test://template/123/data", TEMPLATE_DATA), "the data")

    async def prompt():
        result = await client.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "zwei"})
        message = only(result.messages, "messages")
        same((message.role, message.content.text), ("user", PROMPT_TEXT), "the message")

    async def complete():
        of_prompt = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        result = await client.complete(of_prompt, {"name": "arg1", "value": "test"})
        same(result.completion.values, ["test", "testing", "tested"], "values")
        city = types.ResourceTemplateReference(type="ref/resource", uri="test://city/{country}/{city}")
        result = await client.complete(city, {"name": "city", "value": "b"}, {"country": "germany"})
        same((result.completion.values, result.completion.total), (["berlin", "bonn"], 2), "values and total")
        ids = types.ResourceTemplateReference(type="ref/resource", uri="test://template/{id}/data")
        result = await client.complete(ids, {"name": "id", "value": ""})
        same((len(result.completion.values), result.completion.has_more), (100, True), "number of values and has_more")

    async def watched():
        return only((await client.read_resource(WATCHED, cache_mode="bypass")).contents).text

    async def subscribe():
        before = await watched()
        await client.subscribe_resource(WATCHED)
        since = len(inbox.items)
        same(one_text(await call("test_update_watched_resource")), "The watched resource has changed.")
        await inbox.until(("updated", WATCHED), since)
        holds(await watched() != before, "the resource is as before the update")

    async def unsubscribe():
        # Another notification on the same way tells when the update would have been here.
        await client.unsubscribe_resource(WATCHED)
        since = len(inbox.items)
        await call("test_update_watched_resource")
        await call("test_trigger_prompt_change")
        await inbox.until(("notifications/prompts/list_changed",), since)
        holds(("updated", WATCHED) not in inbox.items[since:], "an update came nevertheless")

    async def list_changes():
        for tool, what in [("tool", "tools"), ("prompt", "prompts"), ("resource", "resources")]:
            since = len(inbox.items)
            await call(f"test_trigger_{tool}_change")
            await inbox.until((f"notifications/{what}/list_changed",), since)

    async def listen_updates():
        before = await watched()
        async with client.listen(resource_subscriptions=[WATCHED]) as subscription:
            same(subscription.honored.resource_subscriptions, [WATCHED], "what the server honours")
            await call("test_trigger_tool_change")
            await call("test_update_watched_resource")
            same(await anext(subscription), ResourceUpdated(WATCHED), "the first event")
        holds(await watched() != before, "the resource is as before the update")

    async def listen_twice():
        # Two at once, each with its own kinds; one ends before the other.
        async with client.listen(tools_list_changed=True) as first:
            async with client.listen(prompts_list_changed=True) as second:
                await call("test_trigger_prompt_change")
                same(await anext(second), PromptsListChanged(), "the event of the second")
            await call("test_trigger_prompt_change")
            await call("test_trigger_tool_change")
            same(await anext(first), ToolsListChanged(), "the event of the first")

    async def listen_lists():
        wanted = {"tools_list_changed": True, "prompts_list_changed": True, "resources_list_changed": True}
        async with client.listen(**wanted) as subscription:
            honoured = subscription.honored.model_dump(exclude_none=True)
            same({name: honoured.get(name) for name in wanted}, wanted, "what the server honours")
            for tool, event in [
                ("tool", ToolsListChanged()),
                ("prompt", PromptsListChanged()),
                ("resource", ResourcesListChanged()),
            ]:
                await call(f"test_trigger_{tool}_change")
                same(await anext(subscription), event, "the event")

    async def progress():
        seen, done_all = [], anyio.Event()

        async def note(done, total, _message):
            seen.append((done, total))
            if len(seen) == len(PROGRESS):
                done_all.set()

        one_text(await call("test_tool_with_progress", progress_callback=note))
        with anyio.move_on_after(5):
            await done_all.wait()
        same(seen, PROGRESS, "the progress")

    async def logging():
        await client.set_logging_level("info")
        since = len(inbox.items)
        await call("test_tool_with_logging")
        for message in LOG:
            await inbox.until(("log", "info", message), since)
        await client.set_logging_level("error")
        since = len(inbox.items)
        await call("test_logging_levels")
        await inbox.until(("log", "emergency", "A message of level emergency"), since)
        levels = [item[1] for item in inbox.items[since:] if item[0] == "log"]
        same(levels, ["error", "critical", "alert", "emergency"], "the levels")

    async def logging_per_request():
        since = len(inbox.items)
        await call("test_logging_levels")
        await call("test_logging_levels", meta={types.LOG_LEVEL_META_KEY: "error"})
        await inbox.until(("log", "emergency", "A message of level emergency"), since)
        levels = [item[1] for item in inbox.items[since:] if item[0] == "log"]
        same(levels, ["error", "critical", "alert", "emergency"], "the levels")

    async def sampling():
        same(one_text(await call("test_sampling", {"prompt": "How?"})), "LLM response: echo How?")

    async def elicitation():
        text = one_text(await call("test_elicitation", {"message": "Who?"}))
        opening, _, answer = text.partition("content=")
        same((opening, json.loads(answer)),
             ("User response: action=accept, ", {"username": "ada", "email": "ada@example.com"}), "the answer")
        text = one_text(await call("test_elicitation", {"message": "no"}))
        same(text, "User response: action=decline, content={}")

    async def elicitation_url():
        since = len(inbox.items)
        same(one_text(await call("test_elicitation_url")), "The user's answer: accept")
        url = only([item[1] for item in inbox.items[since:] if item[0] == "asked to visit"], "requests")
        await inbox.until(("visited", url.rpartition("/")[2]), since)
        try:
            await call("test_url_elicitation_required")
        except MCPError as error:
            same(error.code, types.URL_ELICITATION_REQUIRED, "the code")
            same(only(error.data["elicitations"])["mode"], "url", "the mode")
        else:
            raise AssertionError("no error")

    async def roots():
        text = one_text(await call("test_roots"))
        same(json.loads(text.removeprefix("Roots: ")), [{"uri": "file:///outside/root", "name": "outside"}])

    def asking(tool, answer):
        async def run():
            same(one_text(await call(f"test_input_required_result_{tool}")), answer)

        return run

    async def ask_prompt():
        result = await client.get_prompt("test_input_required_result_prompt")
        same(only(result.messages, "messages").content.text, "Use this context: the sea")

    async def manually():
        # The rounds by hand, with the state altered on the way.
        name = "test_input_required_result_tampered_state"
        asked = await client.session.call_tool(name, allow_input_required=True)
        same((asked.result_type, list(asked.input_requests)), ("input_required", ["confirm"]), "the question")
        answers = {"confirm": types.ElicitResult(action="accept", content={"ok": True})}
        good = await client.session.call_tool(name, input_responses=answers, request_state=asked.request_state)
        same(one_text(good), "The state is intact")
        try:
            await client.session.call_tool(
                name, input_responses=answers, request_state=asked.request_state + "x", allow_input_required=True
            )
        except MCPError as error:
            same(error.code, -32602, "the code")
        else:
            raise AssertionError("no error for altered state")

    async def missing_capability():
        async with Client(client.server, mode=STATELESS) as poor:
            try:
                await poor.call_tool("test_missing_capability")
            except MCPError as error:
                same(error.code, types.MISSING_REQUIRED_CLIENT_CAPABILITY, "the code")
                same(error.data, {"requiredCapabilities": {"sampling": {}}}, "the data")
            else:
                raise AssertionError("no error")

    async def parallel():
        texts = {}

        async def one(number):
            given = {"text": "x", "count": number}
            texts[number] = json.loads(one_text(await call("test_typed_arguments", given)))["count"]

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, number)
        same(texts, {number: number for number in range(20)}, "the answers")

    async def cancel():
        # Were it not cancelled, the update would come before the slow call ends.
        before = await watched()
        with anyio.move_on_after(0.1) as scope:
            await call("test_update_later", {"seconds": 0.4})
        same(scope.cancelled_caught, True, "cancelled")
        same(one_text(await call("test_slow", {"seconds": 0.8})), "Worked for 0.8 seconds.")
        same(await watched(), before, "the resource that the cancelled call would have changed")

    async def resume():
        text = one_text(await call("test_reconnection", read_timeout_seconds=10))
        same(text, "The result came late, but it came.")

    always = [
        ("list-tools", tools), ("list-resources", resources), ("list-templates", templates), ("list-prompts", prompts),
        ("call", simple), ("call-structured", structured), ("call-arguments", arguments), ("call-content", content),
        ("call-error", tool_error), ("unknown", unknown), ("read", read), ("prompt", prompt), ("complete", complete),
    ]  # fmt: skip
    now_stateful = [
        ("updates", subscribe), ("unsubscribe", unsubscribe), ("list-changes", list_changes), ("progress", progress),
        ("logging", logging), ("sampling", sampling), ("elicitation", elicitation),
        ("elicitation-url", elicitation_url), ("roots", roots),
    ]  # fmt: skip
    now_stateless = [
        ("updates", listen_updates), ("unsubscribe", listen_twice), ("list-changes", listen_lists),
        ("progress", progress), ("logging", logging_per_request),
        ("sampling", asking("sampling", "The model said: echo What is the capital of France?")),
        ("elicitation", asking("elicitation", "Hello, Ada!")),
        ("roots", asking("list_roots", "Roots: file:///outside/root")),
        ("ask-several", asking("multiple_inputs", "Ada: echo Write a short greeting. (file:///outside/root)")),
        ("ask-twice", asking("multi_round", "Ada likes blue.")),
        ("ask-with-state", asking("request_state", "state-ok")),
        ("ask-for-prompt", ask_prompt), ("ask-by-hand", manually), ("call-with-headers", header_arguments),
        ("pinned", pinned),
    ]  # fmt: skip
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    await steps.step("connect", connect)
    if stateless:
        steps.cannot("ping", "removed in 2026-07-28")
        steps.cannot("elicitation-url", "the fixture is of the stateful era")
    else:
        await steps.step("ping", ping)
    for name, run in always + (now_stateless if stateless else now_stateful):
        await steps.step(name, run)
    if stateless:
        await steps.step("capability", missing_capability)
    await steps.step("parallel", parallel)
    await steps.step("cancel", cancel)
    if transport_is_http and not stateless:
        await steps.step("resume", resume)

    async def quiet():
        same([item for item in inbox.items if item[0] == "problem"], [], "what the SDK complained about")

    await steps.step("no-complaints", quiet)


if __name__ == "__main__":
    sys.exit(1 if anyio.run(main, *sys.argv[1:]) else 0)
