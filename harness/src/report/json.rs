//! The report for machines: `mcp-conform-report/1`, whose schema is `schema/report-1.schema.json`.
//!
//! The format is stable: keys keep their names, meaning, and order, and none is taken away; new optional ones may come.
//! A reader ignores keys that it does not know, and refuses verdicts that it does not know.

use std::io;

use mcp_conform_cases::Revision;
use serde::{Deserialize, Serialize};
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::{ReportError, ReportKind};
use crate::event::{CaseResult, Finish, Header, Named, Transport};
use crate::text;
use crate::verdict::{Summary, Verdict};

/// The name of the format.
pub const FORMAT: &str = "mcp-conform-report/1";

/// The JSON Schema of the format.
pub const SCHEMA: &str = include_str!("../../schema/report-1.schema.json");

/// A report as it is in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// Name and version of this tool.
    pub tool: Named,
    /// What was tested.
    pub target: Target,
    /// The revisions under test, oldest first.
    pub revisions: Vec<Revision>,
    /// The seed of generated values.
    pub seed: u64,
    /// From start to end, in milliseconds.
    pub duration_ms: u64,
    /// Whether the run was cut short; only written if so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// All results, in the order of the plan.
    pub results: Vec<CaseResult>,
    /// How often each verdict was given.
    pub summary: Summary,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// What was tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The command line or address, without secrets.
    pub command: String,
    /// How frames were carried.
    pub transports: Vec<Transport>,
    /// Name and version that the server gave.
    pub server: Named,
}

impl Report {
    /// The report of a finished run.
    #[must_use]
    pub fn new(header: &Header, finish: &Finish, exit_code: u8) -> Self {
        Report {
            format: FORMAT.to_owned(),
            tool: header.tool.clone(),
            target: Target {
                command: header.target.clone(),
                transports: header.transports.clone(),
                server: header.server.clone(),
            },
            revisions: header.revisions.iter().map(|introduction| introduction.revision).collect(),
            seed: header.seed,
            duration_ms: u64::try_from(finish.duration.as_millis()).unwrap_or(u64::MAX),
            interrupted: finish.interrupted,
            results: finish.results.clone(),
            summary: finish.summary,
            exit_code,
        }
    }

    /// The bytes of the file: indented, and with a newline at the end.
    ///
    /// # Errors
    ///
    /// Only by a mistake of ours.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReportError> {
        let mut bytes = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut bytes, Careful(PrettyFormatter::new()));
        self.serialize(&mut serializer)
            .map_err(|error| ReportError::Format { kind: ReportKind::Json, reason: error.to_string() })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Reads a report back.
///
/// # Errors
///
/// If the bytes are no whole report of this format.
pub fn read(bytes: &[u8]) -> Result<Report, ReportError> {
    #[derive(Deserialize)]
    struct Probe {
        format: Option<serde_json::Value>,
    }

    if bytes.trim_ascii().is_empty() {
        return Err(ReportError::Empty);
    }
    let probe: Probe = serde_json::from_slice(bytes).map_err(refuse)?;
    match probe.format {
        Some(serde_json::Value::String(format)) if format == FORMAT => {}
        Some(serde_json::Value::String(found)) => {
            let found = text::visible(&text::bounded(&found, 64)).into_owned();
            return Err(ReportError::OtherFormat { found, expected: FORMAT });
        }
        _ => {
            let reason = format!("it has no key `format` with the value `{FORMAT}`");
            return Err(ReportError::NotAReport { reason });
        }
    }
    let report: Report = serde_json::from_slice(bytes).map_err(refuse)?;
    let mut held = Summary::default();
    report.results.iter().for_each(|result| held.count(result.verdict));
    for verdict in Verdict::ALL {
        let (counted, held) = (report.summary.of(verdict), held.of(verdict));
        if counted != held {
            return Err(ReportError::Miscounted { verdict, counted, held });
        }
    }
    Ok(report)
}

fn refuse(error: serde_json::Error) -> ReportError {
    if error.is_eof() {
        return ReportError::Truncated { line: error.line() };
    }
    let reason = error.to_string();
    ReportError::NotAReport { reason: text::visible(&text::bounded(&reason, 400)).into_owned() }
}

/// Writes what a terminal would act on as `\uXXXX`: a report may go to standard output, and means the same this way.
struct Careful(PrettyFormatter<'static>);

impl Formatter for Careful {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = fragment;
        while let Some(place) = plain.find(text::is_unsafe) {
            let (before, rest) = plain.split_at_checked(place).unwrap_or((plain, ""));
            writer.write_all(before.as_bytes())?;
            let mut characters = rest.chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            plain = characters.as_str();
        }
        writer.write_all(plain.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::report::samples;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    /// The schema, but with every key that it does not name forbidden: a report must not hold what is not described.
    fn strict() -> Value {
        fn close(value: &mut Value) {
            if let Value::Object(map) = value {
                if map.contains_key("properties") {
                    map.insert("additionalProperties".to_owned(), Value::Bool(false));
                }
                map.values_mut().for_each(close);
            } else if let Value::Array(values) = value {
                values.iter_mut().for_each(close);
            }
        }
        let mut schema = parse(SCHEMA);
        close(&mut schema);
        schema
    }

    #[test]
    fn reports_match_the_schema() {
        let schema = jsonschema::validator_for(&strict()).unwrap();
        for (header, finish) in [samples::clean(), samples::broken(), samples::hostile(), samples::nothing()]
        {
            let bytes = Report::new(&header, &finish, 1).to_bytes().unwrap();
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            let errors: Vec<_> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
    }

    #[test]
    fn the_schema_refuses_what_is_no_report() {
        let schema = jsonschema::validator_for(&parse(SCHEMA)).unwrap();
        let (header, finish) = samples::broken();
        let good = serde_json::to_value(Report::new(&header, &finish, 1)).unwrap();
        assert!(schema.is_valid(&good));
        for (pointer, wrong) in [
            ("/format", json!("mcp-conform-report/2")),
            ("/results/0/verdict", json!("skipped")),
            ("/results/0/level", json!("must")),
            ("/results/0/revision", json!("2025-01-01")),
            ("/results/0/transport", json!("pigeon")),
            ("/results/0/evidence", json!(null)),
            ("/summary", json!({ "pass": 1 })),
            ("/revisions", json!(["draft"])),
            ("/exit_code", json!(300)),
            ("/seed", json!(-1)),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = wrong;
            assert!(!schema.is_valid(&bad), "{pointer}");
        }
        for key in ["format", "tool", "target", "results", "summary", "exit_code"] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().remove(key);
            assert!(!schema.is_valid(&bad), "{key}");
        }
    }

    #[test]
    fn keys_come_in_a_fixed_order() {
        let (header, mut finish) = samples::broken();
        finish.results.truncate(1);
        let bytes = Report::new(&header, &finish, 1).to_bytes().unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"
        {
          "format": "mcp-conform-report/1",
          "tool": {
            "name": "mcp-conform",
            "version": "0.1.0"
          },
          "target": {
            "command": "./my-server --db app.db",
            "transports": [
              "stdio"
            ],
            "server": {
              "name": "my-server",
              "version": "1.4.2"
            }
          },
          "revisions": [
            "2024-11-05",
            "2025-03-26",
            "2025-06-18",
            "2025-11-25"
          ],
          "seed": 7319,
          "duration_ms": 1840,
          "results": [
            {
              "requirement": "jsonrpc.id-echo",
              "case": "jsonrpc/id-echo",
              "level": "MUST",
              "revision": "2024-11-05",
              "transport": "stdio",
              "verdict": "pass",
              "message": "",
              "duration_ms": 12,
              "evidence": [],
              "reproduce": "",
              "summary": "the server does what the case asks",
              "spec": "https://modelcontextprotocol.io/specification/2024-11-05/basic#jsonrpc/id-echo"
            }
          ],
          "summary": {
            "pass": 7,
            "fail": 5,
            "warn": 3,
            "not-applicable": 15,
            "untestable": 1,
            "error": 1
          },
          "exit_code": 1
        }
        "#);
    }

    #[test]
    fn a_report_that_is_not_whole_is_refused() {
        let (header, finish) = samples::broken();
        let bytes = Report::new(&header, &finish, 1).to_bytes().unwrap();
        let end = bytes.trim_ascii_end().len();
        for length in (1..end).step_by(97).chain([end - 1]) {
            let error = read(&bytes[..length]).unwrap_err();
            assert!(matches!(error, ReportError::Truncated { .. }), "{length}: {error}");
        }
        assert!(matches!(read(b" \n"), Err(ReportError::Empty)));
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        let (header, finish) = samples::broken();
        let good = serde_json::to_value(Report::new(&header, &finish, 1)).unwrap();
        let with = |pointer: &str, value: Value| {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            read(&serde_json::to_vec(&bad).unwrap()).unwrap_err().to_string()
        };
        assert_eq!(
            with("/format", json!("mcp-conform-report/2\u{1b}")),
            r"this is a report in the format `mcp-conform-report/2\x1b`; this version of mcp-conform reads `mcp-conform-report/1`"
        );
        assert!(with("/results/0/verdict", json!("me\u{1b}h")).contains(r"unknown variant `me\x1bh`"));
        assert_eq!(
            with("/summary/pass", json!(99)),
            "the summary of the report counts 99 results as `pass`, but it holds 7; it was changed after it was written"
        );
        let refused = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert_eq!(
            refused(b"{}"),
            "this is no report of mcp-conform: it has no key `format` with the value `mcp-conform-report/1`"
        );
        assert!(refused(b"<xml/>").starts_with("this is no report of mcp-conform: expected value at line 1"));
        assert!(refused(&[b'['; 1000]).starts_with("this is no report of mcp-conform"));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written((header, finish) in samples::any_run(), exit_code: u8) {
            let report = Report::new(&header, &finish, exit_code);
            let bytes = report.to_bytes().unwrap();
            prop_assert!(!std::str::from_utf8(&bytes).unwrap().chars().any(|c| c != '\n' && text::is_unsafe(c)));
            prop_assert_eq!(read(&bytes).unwrap(), report);
        }
    }
}
