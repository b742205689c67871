//! Examples that a description gives in prose: `(e.g., 'America/New_York')`, `such as "main"`, `Example: 42`.

/// A description is read no further than this.
const MAX_READ: usize = 2000;
/// More than so many characters are a sentence, not an example.
const MAX_EXAMPLE: usize = 80;
const MARKERS: [&str; 8] =
    ["e.g.", "e.g", "eg.", "for example", "for instance", "example:", "examples:", "such as"];

/// Examples in the order in which they are likely meant: what follows "e.g." first, then anything in quotes.
pub(crate) fn examples(description: &str) -> Vec<String> {
    let text: String = description.chars().take(MAX_READ).collect();
    let lower = text.to_ascii_lowercase();
    let mut found: Vec<String> = Vec::new();
    for marker in MARKERS {
        for (start, _) in lower.match_indices(marker) {
            // ASCII lower case keeps every byte where it was, so the position holds for the text too.
            let Some(after) = text.get(start.saturating_add(marker.len())..) else { continue };
            let after = after.trim_start_matches([',', ':', ' ', '.']);
            let part = after.split([')', ';', '\n']).next().unwrap_or(after);
            let quoted = quoted(part);
            if quoted.is_empty() {
                bare(part).into_iter().for_each(|word| add(&mut found, word));
            } else {
                quoted.into_iter().for_each(|word| add(&mut found, word));
            }
        }
    }
    quoted(&text).into_iter().for_each(|word| add(&mut found, word));
    found.truncate(8);
    found
}

fn add(found: &mut Vec<String>, word: String) {
    if !word.is_empty() && word.chars().count() <= MAX_EXAMPLE && !found.contains(&word) {
        found.push(word);
    }
}

/// What stands in quotes. An apostrophe within a word opens none.
fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(char, String)> = None;
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match &mut open {
            Some((quote, content)) => {
                let ends_word = rest.peek().is_none_or(|next| !next.is_alphanumeric());
                if c == *quote && ends_word {
                    found.push(std::mem::take(content));
                    open = None;
                } else {
                    content.push(c);
                }
            }
            None if !before.is_alphanumeric() => {
                let closing = match c {
                    '\'' | '"' | '`' => Some(c),
                    '“' => Some('”'),
                    '‘' => Some('’'),
                    _ => None,
                };
                open = closing.map(|closing| (closing, String::new()));
            }
            None => {}
        }
        before = c;
    }
    found
}

/// The words after "e.g." where nothing is quoted: up to the next comma, or to the end of the sentence.
fn bare(part: &str) -> Vec<String> {
    let sentence = part.split(". ").next().unwrap_or(part);
    sentence
        .split(", ")
        .map(|word| word.trim().trim_start_matches("or ").trim_end_matches(['.', ',']).to_owned())
        .filter(|word| word.split(' ').count() <= 3)
        .take(4)
        .collect()
}
