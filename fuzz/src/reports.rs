//! Reports: what is read is written back the same, and every rendering of it is fit for the one who gets it, whatever
//! a server managed to put into it.

use std::time::Duration;

use mcp_conform::event::{Finish, Header, Introduction};
use mcp_conform::report::json::{Report, read};
use mcp_conform::report::{ReportKind, Style, Verbosity, render, terminal};
use mcp_conform::text;

/// Tries one input.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    match read(data) {
        Ok(report) => {
            let bytes = report.to_bytes().expect("every report can be written");
            assert_eq!(read(&bytes).expect("what we write we read"), report);
            let text = std::str::from_utf8(&bytes).expect("a report is UTF-8");
            shown(text);
            assert!(read(&bytes[..bytes.len() - 2]).is_err(), "a report that ends too early is refused");
            others(&report);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 4096, "the complaint is as long as what it is about");
            shown(&message);
        }
    }
}

/// The other formats in which the same run is told.
fn others(report: &Report) {
    let header = Header {
        tool: report.tool.clone(),
        target: report.target.command.clone(),
        server: report.target.server.clone(),
        transports: report.target.transports.clone(),
        revisions: report.revisions.iter().map(|revision| introduction(*revision, report)).collect(),
        also_speaks: Vec::new(),
        not_called: vec![report.tool.name.clone()],
        notes: Vec::new(),
        seed: report.seed,
        planned: report.results.len(),
    };
    let finish = Finish {
        results: report.results.clone(),
        summary: report.summary,
        duration: Duration::from_millis(report.duration_ms),
        interrupted: report.interrupted,
        cut_short: false,
    };
    let again = render(ReportKind::Json, &header, &finish, report.exit_code).expect("it can be written");
    assert_eq!(&read(&again).expect("what we write we read"), report);
    xml(&render(ReportKind::Junit, &header, &finish, report.exit_code).expect("it can be written"));
    for style in [Style::PLAIN, Style { colour: false, unicode: false, width: Some(40) }] {
        for verbosity in [Verbosity::Summary, Verbosity::Normal, Verbosity::Frames] {
            let text = terminal::render(&header, &finish, style, verbosity);
            shown(&text);
            assert!(style.unicode || text.is_ascii(), "{text:?}");
        }
    }
}

fn introduction(revision: mcp_conform_cases::Revision, report: &Report) -> Introduction {
    Introduction {
        revision,
        capabilities: vec![report.target.server.name.clone()],
        tools: Some(1),
        resources: None,
        templates: None,
        prompts: None,
    }
}

/// Nothing that a terminal would act on.
fn shown(text: &str) {
    let acted_on = text.chars().find(|character| *character != '\n' && text::is_unsafe(*character));
    assert_eq!(acted_on, None, "{text:?}");
}

/// XML that a strict reader takes, with a count of failures that is true.
fn xml(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("it is UTF-8");
    let legal = |character: char| matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(text.chars().find(|character| !legal(*character)), None, "XML forbids this character");
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => break,
            Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                for attribute in tag.attributes() {
                    let attribute = attribute.unwrap_or_else(|error| panic!("{error}: {text}"));
                    assert!(!attribute.value.contains(&b'<'));
                }
            }
            Ok(_) => {}
            Err(error) => panic!("{error}: {text}"),
        }
    }
}
