//! Faults of pagination.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Arrival, Departure, Hook, Verdict};
use crate::jsonrpc::code;

/// Keeps account of the cursors handed out, and returns the list of entries if this is a page of one.
fn page<'a>(out: &'a mut Departure<'_>, method: &str, list: &str) -> Option<&'a mut Vec<Value>> {
    if out.answers(method) { out.get_mut(list)?.as_array_mut() } else { None }
}

fn is_list(method: &str) -> bool {
    method.ends_with("/list") && method != "roots/list"
}

fn note_cursor(out: &mut Departure<'_>) {
    if let Some(cursor) = out.get("/result/nextCursor").cloned() {
        out.memory.note("cursors", cursor);
    }
}

fn cursor_is_ours(arrival: &Arrival<'_>) -> Option<bool> {
    let cursor = arrival.param("/cursor").filter(|_| is_list(arrival.method()))?;
    Some(arrival.memory.notes("cursors").contains(cursor))
}

faults! { ANY =>
    "next-cursor-null", "pagination.cursor-string", range::ALL, "The last page has nextCursor null" => [
        Hook::Out(|out| if out.answers("tools/list") && out.get("/result/nextCursor").is_none() {
            out.set("/result/nextCursor", Value::Null);
        })];
    "next-cursor-number", "pagination.cursor-string", range::ALL, "nextCursor of prompts/list is a number" => [
        Hook::In(|arrival| {
            if arrival.is("prompts/list") && arrival.param("/cursor").is_some_and(Value::is_number)
                && let Some(cursor) = arrival.memory.last("number cursor").cloned() {
                arrival.set("/params/cursor", cursor);
            }
            Verdict::Pass
        }),
        Hook::Out(|out| if out.answers("prompts/list") && let Some(cursor) = out.get("/result/nextCursor").cloned() {
            out.memory.note("number cursor", cursor);
            out.set("/result/nextCursor", json!(4));
        })];
    "cursor-loop", "pagination.stable-cursors", range::ALL, "The last page of prompts has the cursor of the page before" => [
        Hook::Out(|out| if out.answers("prompts/list") {
            match (out.get("/result/nextCursor").cloned(), out.asked_value("/cursor").cloned()) {
                (None, Some(asked)) => out.set("/result/nextCursor", asked),
                _ => note_cursor(out),
            }
        })];
    "bad-cursor-accepted", "pagination.invalid-cursor-32602", range::ALL, "An unknown cursor gives the first page" => [
        Hook::In(|arrival| {
            if cursor_is_ours(arrival) == Some(false) { arrival.remove("/params/cursor"); }
            Verdict::Pass
        }),
        Hook::Out(note_cursor)];
    "bad-cursor-wrong-code", "pagination.invalid-cursor-32602", range::ALL, "An unknown cursor gets -32603" => [
        Hook::Out(|out| if out.asked_value("/cursor").is_some() && out.code() == Some(code::INVALID_PARAMS) {
            out.set("/error/code", json!(code::INTERNAL_ERROR));
        })];
    "bad-cursor-empty-page", "pagination.invalid-cursor-32602", range::ALL, "An unknown cursor gives an empty page of tools" => [
        Hook::Out(|out| if out.replies("tools/list") && out.code() == Some(code::INVALID_PARAMS) && out.asked_value("/cursor").is_some() {
            out.succeed_properly(json!({ "tools": [] }));
        })];
    "dies-on-bad-cursor", "pagination.invalid-cursor-graceful", range::ALL, "Dies of an unknown cursor" => [
        Hook::In(|arrival| if cursor_is_ours(arrival) == Some(false) { Verdict::Crash } else { Verdict::Pass }),
        Hook::Out(note_cursor)];
    "own-cursor-refused", "pagination.own-cursor-accepted", range::ALL, "The cursor of prompts/list is refused when it comes back" => [
        Hook::Out(|out| if out.answers("prompts/list") && out.asked_value("/cursor").is_some() {
            out.fail(code::INVALID_PARAMS, "Unknown cursor");
        })];
    "cursor-works-once", "pagination.stable-cursors", range::ALL, "A cursor of prompts/list is forgotten after its first use" => [
        Hook::Out(|out| if out.answers("prompts/list") && let Some(cursor) = out.asked_value("/cursor").cloned() {
            if out.memory.notes("used cursors").contains(&cursor) {
                out.fail(code::INVALID_PARAMS, "Unknown cursor");
            } else {
                out.memory.note("used cursors", cursor);
            }
        })];
    "page-entry-repeated", "prompts.name-unique", range::ALL, "The last prompt of a page comes again on the next" => [
        Hook::Out(|out| {
            let repeated = out.memory.last("last of page").cloned().filter(|_| out.asked_value("/cursor").is_some());
            let Some(entries) = page(out, "prompts/list", "/result/prompts") else { return };
            entries.splice(0..0, repeated);
            let last = entries.last().cloned();
            out.memory.note("last of page", last.unwrap_or_default());
        })];
    "listed-resource-unreadable", "resources.listed-readable", range::ALL, "A listed resource cannot be read" => [
        Hook::Out(|out| if out.answers("resources/read") && out.asked("/uri") == "test://static-binary" {
            out.fail(code::INTERNAL_ERROR, "Disk not ready");
        })];
}
