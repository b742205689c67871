// The part of JSON Schema that the planted Rust servers use.

use super::Json;

/// The first thing that the schema forbids, in words; `None` if it allows the value.
pub fn problem(schema: &Json, value: &Json, place: &str) -> Option<String> {
    let kind = schema.get("type").and_then(Json::text);
    if kind.is_some_and(|kind| !is_a(kind, value)) {
        return Some(format!("{place} must be of type {}", kind.unwrap_or_default()));
    }
    let bound = |name: &str| schema.get(name).and_then(Json::integer);
    let outside = |size: usize, least: &str, most: &str| {
        bound(least).is_some_and(|least| (size as i128) < least)
            || bound(most).is_some_and(|most| (size as i128) > most)
    };
    match value {
        _ if schema.get("enum").is_some_and(|allowed| !allowed.items().contains(value)) => {
            Some(format!("{place} must be one of {}", schema.get("enum")?.write()))
        }
        Json::Number(_) if below(value, schema.get("minimum")) => {
            Some(format!("{place} must be at least {}", schema.get("minimum")?.write()))
        }
        Json::Number(_) if schema.get("maximum").is_some_and(|most| below(most, Some(value))) => {
            Some(format!("{place} must be at most {}", schema.get("maximum")?.write()))
        }
        Json::String(text) | Json::Broken(text) => outside(text.chars().count(), "minLength", "maxLength")
            .then(|| format!("{place} is too short or too long")),
        Json::Array(items) if outside(items.len(), "minItems", "maxItems") => {
            Some(format!("{place} has too few or too many items"))
        }
        Json::Array(items) => {
            let schema = schema.get("items")?;
            items
                .iter()
                .enumerate()
                .find_map(|(index, item)| problem(schema, item, &format!("{place}[{index}]")))
        }
        Json::Object(members) => {
            let empty = Json::Object(Vec::new());
            let properties = schema.get("properties").unwrap_or(&empty);
            let required = schema.get("required").map_or(&[][..], Json::items).iter().filter_map(Json::text);
            if let Some(name) = required.into_iter().find(|name| value.get(name).is_none()) {
                return Some(format!("{place}.{name} is required"));
            }
            let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
            if closed && members.iter().any(|(name, _)| properties.get(name).is_none()) {
                return Some(format!("{place} has an unknown property"));
            }
            let Json::Object(properties) = properties else { return None };
            properties
                .iter()
                .find_map(|(name, part)| problem(part, value.get(name)?, &format!("{place}.{name}")))
        }
        _ => None,
    }
}

fn is_a(kind: &str, value: &Json) -> bool {
    match kind {
        "boolean" => matches!(value, Json::Bool(_)),
        "integer" => value.is_integer(),
        "number" => value.float().is_some_and(f64::is_finite),
        "string" => value.text().is_some(),
        "array" => matches!(value, Json::Array(_)),
        "object" => matches!(value, Json::Object(_)),
        _ => matches!(value, Json::Null),
    }
}

/// Whether the number is smaller than the bound; false without a bound.
fn below(value: &Json, bound: Option<&Json>) -> bool {
    let Some(bound) = bound else { return false };
    match (value.integer(), bound.integer()) {
        (Some(value), Some(bound)) => value < bound,
        _ => value.float() < bound.float(),
    }
}
