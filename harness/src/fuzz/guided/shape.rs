//! What an answer looks like, for servers that say nothing of what they execute.

use serde_json::Value;

/// How deep an answer is looked at.
const DEEPEST: usize = 6;
/// How many items of an array are looked at: one is mostly like the other.
const ITEMS: usize = 4;
/// How many traits of one answer are counted.
const MOST: usize = 256;

/// The traits of an answer, each a number: whether it is a result, which error, which members are where, and how long
/// texts are, by orders of magnitude. What texts say is none: it often repeats the input, so every input would be new.
pub(super) fn traits(line: &[u8]) -> Vec<u64> {
    let mut traits = vec![mix(1, u64::from(line.len().checked_ilog2().unwrap_or(0)))];
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(members)) => {
            for (name, member) in members.iter().filter(|(name, _)| name.as_str() != "id") {
                collect(member, text(2, name), 0, &mut traits);
            }
        }
        Ok(other) => collect(&other, 3, 0, &mut traits),
        Err(_) => traits.push(4),
    }
    traits.truncate(MOST);
    traits
}

fn collect(value: &Value, place: u64, depth: usize, traits: &mut Vec<u64>) {
    if depth > DEEPEST || traits.len() >= MOST {
        return;
    }
    traits.push(match value {
        Value::Null => mix(place, 5),
        Value::Bool(whether) => mix(place, 6 + u64::from(*whether)),
        // Error codes stand near the root; numbers deeper down are data.
        Value::Number(number) if depth <= 1 => text(place, &number.to_string()),
        Value::Number(_) => mix(place, 8),
        Value::String(text) => {
            mix(place, 16 + u64::from(text.len().checked_ilog2().map_or(0, |log| log + 1)))
        }
        Value::Array(items) => {
            mix(place, 96 + u64::from(items.len().checked_ilog2().map_or(0, |log| log + 1)))
        }
        Value::Object(_) => mix(place, 9),
    });
    match value {
        Value::Array(items) => {
            items.iter().take(ITEMS).for_each(|item| collect(item, mix(place, 10), depth + 1, traits));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| collect(member, text(place, name), depth + 1, traits));
        }
        _ => {}
    }
}

fn text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed, |sum, byte| mix(sum, u64::from(byte)))
}

fn mix(sum: u64, value: u64) -> u64 {
    let mixed = (sum ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_words_make_no_difference_and_codes_and_members_do() {
        let one = traits(br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"abcd"}}"#);
        assert_eq!(one, traits(br#"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"abce"}}"#));
        assert_ne!(one, traits(br#"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"abce"}}"#));
        assert_ne!(one, traits(br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"massage":"abcd"}}"#));
    }

    #[test]
    fn an_answer_without_end_has_few_traits() {
        let wide: Value = (0..10_000).map(|number| (format!("m{number}"), Value::Null)).collect();
        assert_eq!(traits(wide.to_string().as_bytes()).len(), MOST);
        assert!(traits("[".repeat(100_000).as_bytes()).len() < 4);
    }
}
