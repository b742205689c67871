//! Faults of `subscriptions/listen`.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::{self, code};
use crate::stateless::SUBSCRIPTION_ID;

const ID: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
const ACK: &str = "notifications/subscriptions/acknowledged";

fn is_event(out: &Departure<'_>) -> bool {
    out.get(ID).is_some() && !out.is(ACK)
}

fn on_ack(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.is(ACK) {
        change(out);
    }
}

faults! { ANY =>
    "listen-missing", "subs.listen.implemented", range::STATELESS, "subscriptions/listen is an unknown method" => [
        Hook::In(|arrival| if arrival.is("subscriptions/listen") { arrival.error(code::METHOD_NOT_FOUND, "Method not found") } else { Verdict::Pass })];
    "listen-answered-at-once", "subs.listen.stays-open", range::STATELESS, "subscriptions/listen is answered right after its acknowledgement" => [
        Hook::Out(|out| on_ack(out, |out| {
            let id = out.get(ID).cloned().unwrap_or_default();
            out.after.push(jsonrpc::result(&id, json!({ "resultType": "complete", "_meta": { SUBSCRIPTION_ID: id } })));
        }))];
    "listen-without-filter-accepted", "subs.listen.notifications-required", range::STATELESS, "subscriptions/listen works without notifications" => [
        Hook::In(|arrival| {
            if arrival.is("subscriptions/listen") && arrival.param("/notifications").is_none()
                && arrival.message.get("params").is_some_and(Value::is_object) {
                arrival.set("/params/notifications", json!({}));
            }
            Verdict::Pass
        })];
    "listen-blocks", "subs.other-requests-unaffected", range::STATELESS, "While a subscription is open nothing else is answered" => [
        Hook::Out(|out| {
            if out.is(ACK) { out.memory.note("listening", Value::Null); }
            if out.request.is_some() && !out.replies("subscriptions/listen") && !out.memory.notes("listening").is_empty() { out.withhold(); }
        })];
    "ack-missing", "subs.ack.first", range::STATELESS, "Subscriptions are not acknowledged" => [
        Hook::Out(|out| on_ack(out, |out| out.withhold()))];
    "ack-late", "subs.ack.nothing-before", range::STATELESS, "The acknowledgement comes after the first event" => [
        Hook::Out(|out| {
            if out.is(ACK) {
                let ack = out.message.clone();
                out.memory.note("held ack", ack);
                out.withhold();
            } else if is_event(out) {
                let held = out.memory.forget("held ack");
                out.after.extend(held);
            }
        })];
    "ack-without-id", "subs.ack.subscription-id", range::STATELESS, "The acknowledgement does not name its subscription" => [
        Hook::Out(|out| on_ack(out, |out| out.remove("/params/_meta")))];
    "ack-without-filter", "subs.ack.notifications-object", range::STATELESS, "The acknowledgement does not say what is granted" => [
        Hook::Out(|out| on_ack(out, |out| out.remove("/params/notifications")))];
    "ack-filter-not-asked", "subs.ack.subset-of-request", range::STATELESS, "The acknowledgement grants more than was asked" => [
        Hook::Out(|out| on_ack(out, |out| {
            for flag in ["toolsListChanged", "promptsListChanged", "resourcesListChanged"] {
                out.set(&format!("/params/notifications/{flag}"), json!(true));
            }
        }))];
    "ack-echoes-unsupported", "subs.ack.omits-unsupported", range::STATELESS, "The acknowledgement repeats whatever was asked" => [
        Hook::In(|arrival| {
            if arrival.is("subscriptions/listen") && let Some(asked) = arrival.param("/notifications").cloned() { arrival.memory.note("asked filter", asked); }
            Verdict::Pass
        }),
        Hook::Out(|out| on_ack(out, |out| if let Some(asked) = out.memory.last("asked filter").cloned() { out.set("/params/notifications", asked); }))];
    "subscription-id-as-string", "subs.id.value", range::STATELESS, "The id of a subscription is always a string" => [
        Hook::Out(|out| {
            let id = out.get(ID).filter(|id| id.is_number()).map(ToString::to_string);
            if let Some(id) = id { out.set(ID, id.into()); }
        })];
    "subscription-id-invented", "subs.id.value", range::STATELESS, "The id of a subscription is not that of its request" => [
        Hook::Out(|out| out.replace(ID, json!("subscription-1")))];
    "event-without-id", "subs.id.on-every-notification", range::STATELESS, "Events do not name their subscription" => [
        Hook::Out(|out| if is_event(out) {
            out.remove(ID);
        })];
    "event-not-requested", "subs.filter.only-requested-types", range::STATELESS, "Subscriptions to anything get changes of tools too" => [
        Hook::Out(|out| {
            if out.is(ACK) && out.get("/params/notifications/toolsListChanged").is_none() && let Some(id) = out.get(ID).cloned() {
                out.memory.note("other listens", id);
            }
            if out.answers_tool("test_trigger_tool_change") {
                for id in out.memory.notes("other listens").to_vec() {
                    let params = jsonrpc::object(json!({ "_meta": { SUBSCRIPTION_ID: id } }));
                    out.before.push(jsonrpc::notification("notifications/tools/list_changed", params));
                }
            }
        })];
    "update-not-requested", "subs.filter.only-requested-uris", range::STATELESS, "Subscriptions to anything get updates of all resources" => [
        Hook::Out(|out| {
            if out.is(ACK) && out.get("/params/notifications/resourceSubscriptions").is_none_or(|uris| *uris == json!([]) || !uris.to_string().contains("watched"))
                && let Some(id) = out.get(ID).cloned() {
                out.memory.note("other listens", id);
            }
            if out.answers_tool("test_update_watched_resource") {
                for id in out.memory.notes("other listens").to_vec() {
                    let params = jsonrpc::object(json!({ "uri": crate::fixtures::WATCHED_URI, "_meta": { SUBSCRIPTION_ID: id } }));
                    out.before.push(jsonrpc::notification("notifications/resources/updated", params));
                }
            }
        })];
    "event-unsolicited", "subs.filter.no-unsolicited", range::STATELESS, "Changes are notified without any subscription" => [
        Hook::Out(|out| if out.answers_tool("test_trigger_tool_change") && out.stateless() {
            out.before.push(jsonrpc::notification("notifications/tools/list_changed", jsonrpc::Object::new()));
        })];
    "event-after-cancel", "subs.cancel.stdio", range::STATELESS, "Cancelled subscriptions go on" => [
        Hook::In(|arrival| {
            if arrival.is("subscriptions/listen") && let Some(id) = arrival.id().cloned() { arrival.memory.note("listens", id); }
            let listen = arrival.param("/requestId").is_some_and(|id| arrival.memory.notes("listens").contains(id));
            if arrival.is("notifications/cancelled") && listen { Verdict::Swallow } else { Verdict::Pass }
        })];
    "second-subscription-replaces-first", "subs.concurrent.independent", range::STATELESS, "A new subscription ends the one before" => [
        Hook::Out(|out| {
            if out.is(ACK) && let Some(id) = out.get(ID).cloned() { out.memory.note("newest listen", id); }
            if is_event(out) && out.get(ID) != out.memory.last("newest listen") { out.withhold(); }
        })];
    "close-without-id", "subs.close.result-shape", range::STATELESS, "The response that ends a subscription does not name it" => [
        Hook::Out(|out| if out.answers("subscriptions/listen") { out.remove("/result/_meta/io.modelcontextprotocol~1subscriptionId"); })];
    "close-silent", "subs.close.graceful-result", range::STATELESS, "Subscriptions end without a response" => [
        Hook::Out(|out| if out.answers("subscriptions/listen") { out.withhold(); })];
    "progress-with-subscription-id", "subs.id.absent-elsewhere", range::STATELESS, "Progress carries the id of a subscription" => [
        Hook::Out(|out| {
            if out.is(ACK) && let Some(id) = out.get(ID).cloned() { out.memory.note("newest listen", id); }
            if out.is("notifications/progress") && let Some(id) = out.memory.last("newest listen").cloned() {
                out.set("/params/_meta", json!({ SUBSCRIPTION_ID: id }));
            }
        })];
    "subscription-unknown-uri-silent", "subs.unsupported-uri", range::STATELESS, "A subscription to an unknown resource is never acknowledged" => [
        Hook::Out(|out| on_ack(out, |out| if out.get("/params/notifications/resourceSubscriptions") == Some(&json!([])) { out.withhold(); }))];
}
