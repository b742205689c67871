"""The Python SDK 1.x against the reference server: python1.py TRANSPORT ERA TARGET...

TRANSPORT is stdio (TARGET is a command line), http or sse (TARGET is a URL). ERA is stateful, the only one known to
this SDK.
"""

import base64
import json
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import AnyUrl

from checks import *


@asynccontextmanager
async def streams(transport, target):
    if transport == "stdio":
        async with stdio_client(StdioServerParameters(command=target[0], args=target[1:])) as (read, write):
            yield read, write
    elif transport == "http":
        async with streamable_http_client(target[0]) as (read, write, _):
            yield read, write
    else:
        async with sse_client(target[0]) as (read, write):
            yield read, write


async def main(transport, era, *target):
    same(era, "stateful", "the era")
    steps, inbox = Steps(), Inbox()

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
        return types.ElicitResult(action="accept", content={"username": "ada", "email": "ada@example.com"})

    async def roots(_):
        return types.ListRootsResult(roots=[types.Root(uri="file:///outside/root", name="outside")])

    async def log(params):
        inbox.add(("log", params.level, params.data))

    async def other(message):
        match message:
            case types.ServerNotification(root=types.ResourceUpdatedNotification(params=params)):
                inbox.add(("updated", str(params.uri)))
            case types.ServerNotification(root=types.ElicitCompleteNotification(params=params)):
                inbox.add(("visited", params.elicitationId))
            case types.ServerNotification(root=root):
                inbox.add((root.method,))
            case Exception():
                inbox.add(("problem", repr(message)))

    async with streams(transport, target) as (read, write):
        async with ClientSession(
            read,
            write,
            sampling_callback=sampling,
            elicitation_callback=elicitation,
            list_roots_callback=roots,
            logging_callback=log,
            message_handler=other,
        ) as session:
            await check(steps, session, inbox, transport)
    return steps.failures


async def check(steps, session, inbox, transport):
    def one_text(result):
        same(result.isError, False, "isError")
        return only(result.content, "content").text

    async def call(name, arguments=None, **options):
        return await session.call_tool(name, arguments, **options)

    async def connect():
        result = await session.initialize()
        same(result.protocolVersion, "2025-11-25", "the revision")
        holds(result.serverInfo.name, "the server has no name")
        declared = result.capabilities
        same(declared.resources.subscribe, True, "resources.subscribe")
        holds(declared.tools and declared.prompts and declared.logging and declared.completions, "too few capabilities")

    async def ping():
        same((await session.send_ping()).model_dump(exclude_none=True), {}, "the answer")

    def page_of(cursor):
        return types.PaginatedRequestParams(cursor=cursor) if cursor else None

    async def tools():
        names, count = await pages(
            lambda cursor: session.list_tools(params=page_of(cursor)), lambda page: page.tools, lambda tool: tool.name
        )
        holds(TOOLS | STATEFUL_TOOLS <= set(names), f"tools are missing among {names}")
        holds(not STATELESS_TOOLS & set(names), f"tools of the other era are among {names}")
        holds(count > 1, "there is only one page")

    async def resources():
        names, count = await pages(
            lambda cursor: session.list_resources(params=page_of(cursor)),
            lambda page: page.resources,
            lambda resource: str(resource.uri),
        )
        same((set(names), count), (RESOURCES, 2), "the list with its number of pages")

    async def templates():
        names, count = await pages(
            lambda cursor: session.list_resource_templates(params=page_of(cursor)),
            lambda page: page.resourceTemplates,
            lambda template: template.uriTemplate,
        )
        same((set(names), count), (TEMPLATES, 2), "the list with its number of pages")

    async def prompts():
        names, count = await pages(
            lambda cursor: session.list_prompts(params=page_of(cursor)),
            lambda page: page.prompts,
            lambda prompt: prompt.name,
        )
        holds(PROMPTS <= set(names) and count > 1, f"{count} page(s) with {names}")

    async def simple():
        same(one_text(await call("test_simple_text")), SIMPLE_TEXT)

    async def structured():
        result = await call("test_structured_content")
        same(result.structuredContent, WEATHER, "structuredContent")
        same(json.loads(one_text(result)), WEATHER, "the text")

    async def arguments():
        given = {"text": "grün ☃", "count": 3, "ratio": 0.5, "flag": True, "color": "red", "tags": ["a", "b"]}
        same(json.loads(one_text(await call("test_typed_arguments", given))), given)

    async def content():
        image = only((await call("test_image_content")).content)
        same((image.mimeType, base64.b64decode(image.data)[:8]), ("image/png", PNG), "the image")
        audio = only((await call("test_audio_content")).content)
        same((audio.mimeType, base64.b64decode(audio.data)[:4]), ("audio/wav", b"RIFF"), "the audio")
        kinds = [item.type for item in (await call("test_multiple_content_types")).content]
        same(kinds, ["text", "image", "resource"], "the kinds of content")

    async def tool_error():
        result = await call("test_error_handling")
        same((result.isError, only(result.content).text),
             (True, "This tool intentionally returns an error for testing"), "the result")
        same((await call("test_typed_arguments", {"count": 3})).isError, True, "isError without a required argument")

    async def unknown():
        for code, ask in [
            (-32602, call("no_such_tool")),
            (-32602, session.get_prompt("no_such_prompt")),
            (-32002, session.read_resource(AnyUrl("test://no-such-resource"))),
        ]:
            try:
                answer = await ask
            except McpError as error:
                same(error.error.code, code, "the code")
            else:
                raise AssertionError(f"no error, but {answer!r}")

    async def read():
        text = only((await session.read_resource(AnyUrl("test://static-text"))).contents)
        same((text.text, text.mimeType), (STATIC_TEXT, "text/plain"), "the text")
        blob = only((await session.read_resource(AnyUrl("test://static-binary"))).contents)
        same(base64.b64decode(blob.blob)[:8], PNG, "the start of the blob")
        data = only((await session.read_resource(AnyUrl("test://template/123/data"))).contents)
        same((str(data.uri), json.loads(data.text)), ("test://template/123/data", TEMPLATE_DATA), "the data")

    async def prompt():
        result = await session.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "zwei"})
        message = only(result.messages, "messages")
        same((message.role, message.content.text), ("user", PROMPT_TEXT), "the message")

    async def complete():
        of_prompt = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        result = await session.complete(of_prompt, {"name": "arg1", "value": "test"})
        same(result.completion.values, ["test", "testing", "tested"], "values")
        city = types.ResourceTemplateReference(type="ref/resource", uri="test://city/{country}/{city}")
        result = await session.complete(city, {"name": "city", "value": "b"}, {"country": "germany"})
        same((result.completion.values, result.completion.total), (["berlin", "bonn"], 2), "values and total")
        ids = types.ResourceTemplateReference(type="ref/resource", uri="test://template/{id}/data")
        result = await session.complete(ids, {"name": "id", "value": ""})
        same((len(result.completion.values), result.completion.hasMore), (100, True), "number of values and hasMore")

    async def watched():
        return only((await session.read_resource(AnyUrl(WATCHED))).contents).text

    async def subscribe():
        before = await watched()
        await session.subscribe_resource(AnyUrl(WATCHED))
        since = len(inbox.items)
        same(one_text(await call("test_update_watched_resource")), "The watched resource has changed.")
        await inbox.until(("updated", WATCHED), since)
        holds(await watched() != before, "the resource is as before the update")

    async def unsubscribe():
        # Another notification on the same way tells when the update would have been here.
        await session.unsubscribe_resource(AnyUrl(WATCHED))
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

    async def progress():
        seen = []

        async def note(done, total, _message):
            seen.append((done, total))

        one_text(await call("test_tool_with_progress", progress_callback=note))
        same(seen, PROGRESS, "the progress")

    async def logging():
        await session.set_logging_level("info")
        since = len(inbox.items)
        await call("test_tool_with_logging")
        for message in LOG:
            await inbox.until(("log", "info", message), since)
        await session.set_logging_level("error")
        since = len(inbox.items)
        await call("test_logging_levels")
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
        except McpError as error:
            same(error.error.code, types.URL_ELICITATION_REQUIRED, "the code")
            same(only(error.error.data["elicitations"])["mode"], "url", "the mode")
        else:
            raise AssertionError("no error")

    async def roots():
        text = one_text(await call("test_roots"))
        same(json.loads(text.removeprefix("Roots: ")), [{"uri": "file:///outside/root", "name": "outside"}])

    async def parallel():
        texts = {}

        async def one(number):
            given = {"text": "x", "count": number}
            texts[number] = json.loads(one_text(await call("test_typed_arguments", given)))["count"]

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(one, number)
        same(texts, {number: number for number in range(20)}, "the answers")

    async def resume():
        text = one_text(await call("test_reconnection", read_timeout_seconds=timedelta(seconds=10)))
        same(text, "The result came late, but it came.")

    for name, run in [
        ("connect", connect), ("ping", ping), ("list-tools", tools), ("list-resources", resources),
        ("list-templates", templates), ("list-prompts", prompts), ("call", simple), ("call-structured", structured),
        ("call-arguments", arguments), ("call-content", content), ("call-error", tool_error), ("unknown", unknown),
        ("read", read), ("prompt", prompt), ("complete", complete), ("updates", subscribe),
        ("unsubscribe", unsubscribe), ("list-changes", list_changes), ("progress", progress), ("logging", logging),
        ("sampling", sampling), ("elicitation", elicitation), ("elicitation-url", elicitation_url), ("roots", roots),
        ("parallel", parallel),
    ]:  # fmt: skip
        await steps.step(name, run)
    steps.cannot("cancel", "the SDK does not send notifications/cancelled")
    if transport == "http":
        await steps.step("resume", resume)
    problems = [item for item in inbox.items if item[0] == "problem"]

    async def quiet():
        same(problems, [], "what the SDK complained about")

    await steps.step("no-complaints", quiet)


if __name__ == "__main__":
    sys.exit(1 if anyio.run(main, *sys.argv[1:]) else 0)
