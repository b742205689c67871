//! `mcp-conform list`

use std::fmt::Write as _;

use mcp_conform_cases::{Case, Library};
use serde_json::{Value, json};

use super::args::{ListArguments, Listed};
use super::exit::Code;
use super::output::{complain, print};

pub(crate) fn main(arguments: &ListArguments) -> Code {
    let library = match Library::builtin() {
        Ok(library) => library,
        Err(error) => {
            complain(format!("the built-in library is broken: {error}"));
            return Code::Internal;
        }
    };
    let rows = match arguments.what {
        Listed::Cases => library.cases.iter().map(case_row).collect(),
        Listed::Requirements => requirement_rows(&library),
        Listed::Faults => fault_rows(&library),
    };
    if arguments.json {
        print(&format!("{:#}\n", Value::Array(rows)));
        return Code::Conformant;
    }
    let width = rows.iter().map(|row| text(row, "id").chars().count()).max().unwrap_or_default();
    let mut lines = String::new();
    for row in &rows {
        let _ = writeln!(lines, "{:width$}  {}", text(row, "id"), text(row, "title"));
    }
    print(&lines);
    Code::Conformant
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn case_row(case: &Case) -> Value {
    json!({
        "id": case.id,
        "title": case.title,
        "requirement": case.requirement,
        "revisions": case.revisions,
        "transports": case.transports,
        "catches": case.catches,
    })
}

fn requirement_rows(library: &Library) -> Vec<Value> {
    let cases_of = |id: &str| -> Vec<&str> {
        library.cases.iter().filter(|case| case.requirement == id).map(|case| case.id.as_str()).collect()
    };
    let levels = |requirement: &mcp_conform_cases::Requirement| -> Value {
        mcp_conform_cases::Revision::ALL
            .into_iter()
            .filter_map(|revision| Some((revision.to_string(), json!(requirement.level(revision)?))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    library
        .requirements
        .values()
        .map(|requirement| json!({ "id": requirement.id, "title": requirement.summary, "levels": levels(requirement), "cases": cases_of(&requirement.id) }))
        .collect()
}

fn fault_rows(library: &Library) -> Vec<Value> {
    let cases_of = |id: &str| -> Vec<&str> {
        library
            .cases
            .iter()
            .filter(|case| case.catches.iter().any(|fault| fault == id))
            .map(|case| case.id.as_str())
            .collect()
    };
    mcp_reference_server::faults::all()
        .map(|fault| json!({ "id": fault.name, "title": fault.summary, "requirement": fault.requirement, "revisions": fault.revisions, "cases": cases_of(fault.name) }))
        .collect()
}
