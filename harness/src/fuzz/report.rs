//! The report of a campaign as JSON: `mcp-conform-fuzz/1`, whose schema is `schema/fuzz-1.schema.json`, and as JUnit XML.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::campaign::{Guided, Outcome, Stats};
use super::finding::Finding;
use crate::event::Named;
use crate::report::{ReportError, ReportKind, ReportTarget, file};
use crate::text;

/// The format of the report.
pub const FORMAT: &str = "mcp-conform-fuzz/1";

/// The JSON Schema of the report.
pub const SCHEMA: &str = include_str!("../../schema/fuzz-1.schema.json");

/// A whole report.
#[derive(Debug, Serialize)]
pub struct FuzzReport<'a> {
    /// [`FORMAT`].
    pub format: &'static str,
    /// Name and version of this tool.
    pub tool: Named,
    /// The target as a command line, without secrets.
    pub target: String,
    /// Name and version that the server gave.
    pub server: &'a Named,
    /// Where inputs came from.
    pub seed: u64,
    /// Figures.
    pub stats: Stats,
    /// Where an engine guided, and what came of it; not there if none did.
    #[serde(skip_serializing_if = "<[Guided]>::is_empty")]
    pub guided: &'a [Guided],
    /// Findings, each fault once.
    pub findings: &'a [Finding],
    /// Suspects that did not show themselves again, by signature.
    pub unconfirmed: &'a [String],
    /// Suspects that there was not time enough to look into, by signature.
    pub undecided: &'a [String],
    /// What the program ended with.
    pub exit_code: u8,
}

/// Writes the report of a campaign to where `to` says.
///
/// # Errors
/// If it cannot be written. A file is then what it was before.
pub fn write(to: &ReportTarget, report: &FuzzReport<'_>) -> Result<(), ReportError> {
    let bytes = match to.kind {
        ReportKind::Json => serde_json::to_vec_pretty(report)
            .map_err(|error| ReportError::Format { kind: to.kind, reason: error.to_string() })?,
        ReportKind::Junit => junit(report)
            .to_string()
            .map_err(|error| ReportError::Format { kind: to.kind, reason: error.to_string() })?
            .into_bytes(),
    };
    file::write(to, &bytes)
}

/// Every finding is a failed test; a campaign without any is one that passed.
fn junit(report: &FuzzReport<'_>) -> Junit {
    let mut junit = Junit::new("mcp-conform fuzz");
    let mut suite = TestSuite::new(text::visible(&report.target).into_owned());
    for finding in report.findings {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let body = format!("{}\n\n{}\n{}", finding.message, finding.minimized, finding.reproduce);
        status.set_type(finding.oracle.as_str());
        status.set_message(text::visible(&finding.message).into_owned());
        status.set_description(body);
        let mut case = TestCase::new(finding.case_id.clone(), status);
        case.set_classname(finding.requirement.clone());
        suite.add_test_case(case);
    }
    if report.findings.is_empty() {
        suite.add_test_case(TestCase::new(
            format!("{} inputs without a finding", report.stats.cases),
            TestCaseStatus::success(),
        ));
    }
    junit.add_test_suite(suite);
    junit
}

impl<'a> FuzzReport<'a> {
    /// The report of an outcome.
    #[must_use]
    pub fn new(outcome: &'a Outcome, target: String, seed: u64, exit_code: u8) -> FuzzReport<'a> {
        FuzzReport {
            format: FORMAT,
            tool: Named {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            target,
            server: &outcome.introduction.server,
            seed,
            stats: outcome.stats,
            guided: &outcome.guided,
            findings: &outcome.findings,
            unconfirmed: &outcome.unconfirmed,
            undecided: &outcome.undecided,
            exit_code,
        }
    }
}
