//! Rules about servers that want a token.

use serde_json::{Map, Value};

use super::super::Breach;
use super::super::dialogue::Dialogue;
use super::super::exchanges::{Exchange, Exchanges};
use super::Observation;

/// Where the metadata are, without and with the path of the resource (RFC 9728, section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// How many such addresses there are for one resource.
const PLACES: usize = 2;

/// Who is refused for want of a bearer token learns where the metadata are: from the challenge, or at one of the
/// well-known addresses, once both were asked.
pub(super) fn metadata_found(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let challenges: Vec<(usize, String)> = exchanges
        .all
        .iter()
        .filter(|exchange| exchange.status() == Some(401))
        .filter_map(|exchange| Some((exchange.head?.entry, challenge(exchange)?)))
        .filter(|(_, challenge)| challenge.contains("bearer"))
        .collect();
    let Some((first, _)) = challenges.first() else { return seen };
    if challenges.iter().any(|(_, challenge)| challenge.contains("resource_metadata")) {
        seen.examine(None);
        return seen;
    }
    let documents: Vec<&Exchange<'_>> = exchanges
        .all
        .iter()
        .filter(|exchange| exchange.is("GET") && exchange.carrier.path.starts_with(WELL_KNOWN))
        .collect();
    let missing = |exchange: &&Exchange<'_>| matches!(exchange.status(), Some(400 | 404 | 405 | 410));
    let mut missed: Vec<&str> =
        documents.iter().copied().filter(missing).map(|exchange| exchange.carrier.path.as_str()).collect();
    missed.sort_unstable();
    missed.dedup();
    if documents.iter().any(|exchange| exchange.succeeded()) {
        seen.examine(None);
    } else if documents.iter().all(missing) && missed.len() >= PLACES {
        seen.examine(Some(Breach {
            message: "neither the challenge nor a well-known address leads to the metadata".to_owned(),
            expected: Some("`resource_metadata` in the challenge, or a document there".to_owned()),
            got: Some("neither".to_owned()),
            culprits: vec![*first],
            context: documents.iter().filter_map(|exchange| Some(exchange.head?.entry)).collect(),
            ..Breach::default()
        }));
    }
    seen
}

/// The challenges of an answer, in lower case.
fn challenge(exchange: &Exchange<'_>) -> Option<String> {
    let values: Vec<String> = exchange
        .head?
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.to_ascii_lowercase())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::json;

    use super::super::http_recordings::check;

    #[test]
    fn the_metadata_can_be_found() {
        let bare = "POST ?1 tools/list\n#0 401 - www-authenticate=Bearer\n";
        let named = "POST ?1 tools/list\n#0 401 - www-authenticate=Bearer,Resource_Metadata=x\n";
        let root = "GET! path=/.well-known/oauth-protected-resource\n";
        let own = "GET! path=/.well-known/oauth-protected-resource/mcp\n";
        check(
            "auth-metadata-found",
            &json!({}),
            Revision::R2025_11_25,
            &[
                (named, (1, 0, 0)),
                (&format!("{bare}{root}#1 200 application/json\n{own}#2 404 -\n"), (1, 0, 0)),
                (&format!("{bare}{root}#1 404 -\n{own}#2 404 -\n"), (1, 1, 0)),
                (&format!("{bare}{root}#1 404 -\n{own}#2 404 -\n{}", named.replace("#0", "#3")), (1, 0, 0)),
                // One place was not asked, one was not answered, and one has something to hide.
                (&format!("{bare}{root}#1 404 -\n{root}#2 404 -\n"), (0, 0, 0)),
                (&format!("{bare}{root}#1 404 -\n{own}#2 503 -\n"), (0, 0, 0)),
                (&format!("{bare}{root}#1 404 -\n{own}#2 401 -\n"), (0, 0, 0)),
                // Another scheme, or no refusal at all.
                ("POST ?1 tools/list\n#0 401 - www-authenticate=Basic\n", (0, 0, 0)),
                (&format!("{root}#0 404 -\n{own}#1 404 -\n"), (0, 0, 0)),
            ],
        );
    }
}
