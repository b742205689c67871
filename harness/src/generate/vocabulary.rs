//! Plausible words and numbers for property names that many tools use.

/// What a property holds, judging by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Path,
    File,
    Directory,
    Uri,
    Timezone,
    Sql,
    Plain(&'static [&'static str]),
}

const DEFAULT: &[&str] = &["hello", "test", "mcp-conform"];

/// A name in words: `sourcePath`, `source_path` and `source-path` alike.
pub(super) fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut after_lower = false;
    for c in name.chars().take(200) {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// `paths` → `path`, `queries` → `query`, `directories` → `directory`; words like `address` stay.
pub(super) fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && stem.len() > 1 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// What a property is about: its last word counts most (`time` in `file_time`), then its description.
pub(super) fn theme(words: &[String], description: Option<&str>) -> Option<Theme> {
    let description = description.unwrap_or_default();
    if contains_word(description, "iana") || joined_ends_with(words, "time", "zone") {
        return Some(Theme::Timezone);
    }
    let found = match words {
        // A `file_name` is a file.
        [.., thing, last] if last == "name" => path_like(of_word(thing)).or_else(|| of_word(last)),
        [.., thing, last] => of_word(last).or_else(|| {
            // A `file_type` is no file, but `path_2` is a path.
            let theme = of_word(thing);
            if path_like(theme).is_none() || last.chars().count() == 1 { theme } else { None }
        }),
        [word] => of_word(word),
        [] => None,
    };
    // A `query` in SQL is not a search.
    if contains_word(description, "sql")
        && !matches!(found, Some(Theme::Path | Theme::File | Theme::Directory))
    {
        return Some(Theme::Sql);
    }
    found
}

/// Words for a theme, the likeliest first.
pub(super) fn words(theme: Option<Theme>) -> &'static [&'static str] {
    match theme {
        Some(Theme::Path | Theme::Directory) => &[".", "/tmp"],
        Some(Theme::File) => &["README.md", "example.txt"],
        Some(Theme::Uri) => &["https://example.com/"],
        Some(Theme::Timezone) => &["UTC", "Europe/London", "America/New_York"],
        Some(Theme::Sql) => &["select 1"],
        Some(Theme::Plain(words)) => words,
        None => DEFAULT,
    }
}

/// A number that suits a name.
pub(super) fn number(words: &[String]) -> Option<i64> {
    words.iter().rev().find_map(|word| match word.as_str() {
        "year" => Some(2024),
        "port" => Some(8080),
        "latitude" | "lat" => Some(48),
        "longitude" | "lon" | "lng" => Some(16),
        "limit" | "max" | "top" | "k" => Some(5),
        "width" | "height" => Some(100),
        "b" | "y" => Some(2),
        _ => None,
    })
}

fn path_like(theme: Option<Theme>) -> Option<Theme> {
    theme.filter(|theme| matches!(theme, Theme::Path | Theme::File | Theme::Directory | Theme::Uri))
}

fn of_word(word: &str) -> Option<Theme> {
    Some(match word {
        "path" | "pathname" | "filepath" | "paths" | "source" | "destination" | "location" => Theme::Path,
        "file" | "filename" | "document" => Theme::File,
        "dir" | "directory" | "folder" | "root" | "cwd" | "workspace" => Theme::Directory,
        "uri" | "url" | "href" | "link" | "endpoint" | "website" | "webpage" => Theme::Uri,
        "timezone" | "tz" => Theme::Timezone,
        "sql" => Theme::Sql,
        "time" => Theme::Plain(&["12:00", "12:00:00"]),
        "date" | "day" => Theme::Plain(&["2024-01-15", "2024-02-29"]),
        "datetime" | "timestamp" | "since" | "until" => Theme::Plain(&["2024-01-15T12:00:00Z"]),
        "city" => Theme::Plain(&["London", "Paris", "Tokyo"]),
        "place" | "address" => Theme::Plain(&["London", "10 Downing Street, London"]),
        "country" => Theme::Plain(&["GB", "Germany"]),
        "state" => Theme::Plain(&["CA", "open"]),
        "language" | "lang" | "locale" => Theme::Plain(&["en", "en-US"]),
        "email" | "mail" => Theme::Plain(&["user@example.com"]),
        "phone" => Theme::Plain(&["+12025550100"]),
        "query" | "q" | "search" | "keyword" | "term" | "topic" => Theme::Plain(&["test", "hello world"]),
        "text" | "message" | "content" | "contents" | "input" | "prompt" | "body" | "comment" | "note" => {
            Theme::Plain(&["hello", "Hello, world!"])
        }
        "thought" | "reason" | "description" | "summary" => Theme::Plain(&["An example.", "hello"]),
        "name" | "title" | "label" | "tag" | "user" | "username" => {
            Theme::Plain(&["example", "test", "Alice"])
        }
        "expression" | "formula" | "equation" => Theme::Plain(&["1 + 1", "2 * 3"]),
        "code" | "script" => Theme::Plain(&["1 + 1"]),
        "command" | "cmd" => Theme::Plain(&["echo hello"]),
        "regex" | "regexp" => Theme::Plain(&["a+", ".*"]),
        "pattern" | "glob" => Theme::Plain(&["*", "*.txt"]),
        "id" | "key" | "identifier" => Theme::Plain(&["1", "example"]),
        "uuid" | "guid" => Theme::Plain(&["123e4567-e89b-42d3-a456-426614174000"]),
        "host" | "hostname" | "domain" => Theme::Plain(&["example.com", "localhost"]),
        "ip" => Theme::Plain(&["127.0.0.1"]),
        "currency" => Theme::Plain(&["EUR", "USD"]),
        "symbol" | "ticker" => Theme::Plain(&["AAPL"]),
        "owner" | "org" | "organization" => Theme::Plain(&["octocat"]),
        "repo" | "repository" => Theme::Plain(&["Hello-World"]),
        "branch" | "ref" => Theme::Plain(&["main", "HEAD"]),
        "encoding" | "charset" => Theme::Plain(&["utf-8"]),
        "color" | "colour" => Theme::Plain(&["#336699", "red"]),
        "mime" | "mimetype" => Theme::Plain(&["text/plain"]),
        "format" => Theme::Plain(&["json", "text"]),
        "level" => Theme::Plain(&["info", "debug"]),
        "version" => Theme::Plain(&["1.0.0"]),
        "json" => Theme::Plain(&["{}", "[]"]),
        "html" => Theme::Plain(&["<p>hello</p>"]),
        "markdown" => Theme::Plain(&["# Hello"]),
        _ => return None,
    })
}

/// Whether the last two words of a name are these: `time_zone`.
fn joined_ends_with(words: &[String], first: &str, second: &str) -> bool {
    matches!(words, [.., a, b] if a == first && b == second)
}

fn contains_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|found| found.eq_ignore_ascii_case(word))
}
