//! JUnit XML, which every CI reads.
//!
//! One test suite for each revision and transport, one test case for each item, named after the case. JUnit has fewer
//! words than we have verdicts:
//!
//! - `fail` is a failure, `error` an error.
//! - `not-applicable` and `untestable` are skipped; the reason is the message.
//! - `warn` passes, for a warning must not turn a build red; what is wrong stands in its `system-out`.
//!
//! XML has no way to write most control characters, so they are written as in the terminal, `\x1b`.

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_conform_cases::Revision;
use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::finding;
use super::frames::Extent;
use super::group;
use super::style::Style;
use super::{ReportError, ReportKind};
use crate::event::{CaseResult, Finish, Header, Transport};
use crate::text;
use crate::verdict::Verdict;

/// The XML of a finished run.
///
/// # Errors
///
/// Only by a mistake of ours.
pub fn render(header: &Header, finish: &Finish) -> Result<Vec<u8>, ReportError> {
    let mut report = Report::new("mcp-conform");
    report.set_time(finish.duration);
    let mut suites: BTreeMap<(Revision, Transport), TestSuite> = BTreeMap::new();
    // Where nothing ran there is a suite all the same; with several transports not each carries every revision.
    if let [transport] = header.transports[..] {
        for introduction in &header.revisions {
            suites
                .entry((introduction.revision, transport))
                .or_insert_with(|| suite(header, introduction.revision, transport));
        }
    }
    for result in &finish.results {
        let suite = suites
            .entry((result.revision, result.transport))
            .or_insert_with(|| suite(header, result.revision, result.transport));
        suite.add_test_case(test_case(result));
    }
    report.add_test_suites(suites.into_values());
    let mut bytes = Vec::new();
    report
        .serialize(&mut bytes)
        .map_err(|error| ReportError::Format { kind: ReportKind::Junit, reason: error.to_string() })?;
    Ok(bytes)
}

fn suite(header: &Header, revision: Revision, transport: Transport) -> TestSuite {
    let mut suite = TestSuite::new(format!("{revision} {}", transport.as_str()));
    for (name, value) in [
        ("tool", &header.tool.name),
        ("tool.version", &header.tool.version),
        ("target", &header.target),
        ("server.name", &header.server.name),
        ("server.version", &header.server.version),
        ("revision", &revision.to_string()),
        ("transport", &transport.as_str().to_owned()),
        ("seed", &header.seed.to_string()),
    ] {
        suite.add_property(Property::new(name, text::visible(value).as_ref()));
    }
    suite
}

fn test_case(result: &CaseResult) -> TestCase {
    let message = text::visible(&result.message);
    let mut status = match result.verdict {
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::NotApplicable | Verdict::Untestable => TestCaseStatus::skipped(),
    };
    let mut details = String::new();
    match result.verdict {
        Verdict::Pass => {}
        Verdict::NotApplicable | Verdict::Untestable => {
            let verdict = result.verdict;
            let reason =
                if message.is_empty() { verdict.to_string() } else { format!("{verdict}: {message}") };
            status.set_message(reason);
        }
        Verdict::Fail | Verdict::Warn | Verdict::Error => {
            finding::details(&mut details, result, Style::PLAIN, Extent::Whole);
            status.set_message(message.as_ref());
            status.set_type(result.level.as_str());
        }
    }
    let warned = result.verdict == Verdict::Warn;
    if !warned && !details.is_empty() {
        status.set_description(&details);
    }
    let mut case = TestCase::new(text::visible(&result.case).as_ref(), status);
    // Many viewers show nothing of the suite: the class has to tell the revisions apart.
    let class = format!(
        "{}.{}.{}",
        result.revision,
        result.transport.as_str(),
        text::visible(group::area(&result.case))
    );
    case.set_classname(class);
    if let Some(millis) = result.duration_ms {
        case.set_time(Duration::from_millis(millis));
    }
    case.add_property(Property::new("requirement", text::visible(&result.requirement).as_ref()));
    case.add_property(Property::new("verdict", result.verdict.as_str()));
    if warned {
        case.set_system_out(format!("warning ({})\n{details}", result.level));
    }
    case
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::events::Event;

    use super::*;
    use crate::report::samples;

    /// Name, attributes, and text.
    type Element = (String, Vec<(String, String)>, String);

    /// The elements in order.
    fn parse(bytes: &[u8]) -> Vec<Element> {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        let mut elements: Vec<Element> = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) | Event::Empty(start) => {
                    let attributes = start
                        .attributes()
                        .map(|attribute| {
                            let attribute = attribute.unwrap();
                            let value = attribute
                                .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                                .unwrap()
                                .into_owned();
                            (String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(), value)
                        })
                        .collect();
                    let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
                    elements.push((name, attributes, String::new()));
                }
                Event::Text(text) => {
                    let text = text.decode().unwrap().into_owned();
                    if let Some(element) = elements.last_mut() {
                        element.2.push_str(&text);
                    }
                }
                Event::GeneralRef(reference) => {
                    let text = format!("&{};", reference.decode().unwrap());
                    let text = quick_xml::escape::unescape(&text).unwrap().into_owned();
                    elements.last_mut().unwrap().2.push_str(&text);
                }
                Event::Eof => return elements,
                _ => {}
            }
        }
    }

    /// Characters that XML 1.0 can hold at all.
    fn is_xml(character: char) -> bool {
        matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn a_run_in_xml() {
        let (header, mut finish) = samples::broken();
        let mut kept = Vec::new();
        for verdict in Verdict::ALL {
            kept.extend(finish.results.iter().find(|result| result.verdict == verdict).cloned());
        }
        finish.results = kept;
        insta::assert_snapshot!(String::from_utf8(render(&header, &finish).unwrap()).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="mcp-conform" tests="6" skipped="2" failures="1" errors="1" time="1.840">
            <testsuite name="2024-11-05 stdio" tests="3" skipped="0" errors="0" failures="1">
                <properties>
                    <property name="tool" value="mcp-conform"/>
                    <property name="tool.version" value="0.1.0"/>
                    <property name="target" value="./my-server --db app.db"/>
                    <property name="server.name" value="my-server"/>
                    <property name="server.version" value="1.4.2"/>
                    <property name="revision" value="2024-11-05"/>
                    <property name="transport" value="stdio"/>
                    <property name="seed" value="7319"/>
                </properties>
                <testcase name="jsonrpc/id-echo" classname="2024-11-05.stdio.jsonrpc" time="0.012">
                    <properties>
                        <property name="requirement" value="jsonrpc.id-echo"/>
                        <property name="verdict" value="pass"/>
                    </properties>
                </testcase>
                <testcase name="transport-stdio/stdout-only-messages" classname="2024-11-05.stdio.transport-stdio" time="0.012">
                    <properties>
                        <property name="requirement" value="transport-stdio.stdout-only-messages"/>
                        <property name="verdict" value="fail"/>
                    </properties>
                    <failure message="the server wrote a line to stdout that is not an MCP message" type="MUST NOT">  the server wrote a line to stdout that is not an MCP message
          ▸ 0.012s ← [db] Connected to app.db
          expected  a JSON-RPC message on each line
          spec      transport-stdio.stdout-only-messages: the server writes nothing to stdout that is not an MCP message
                    https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#stdio
          again     mcp-conform ./my-server --revision 2024-11-05 -k transport-stdio/stdout-only-messages
        </failure>
                </testcase>
                <testcase name="tools/name-format" classname="2024-11-05.stdio.tools" time="0.012">
                    <properties>
                        <property name="requirement" value="tools.list.name-format"/>
                        <property name="verdict" value="warn"/>
                    </properties>
                    <system-out>warning (SHOULD)
          the name of a tool has characters that clients may not accept
            0.030s → {&quot;jsonrpc&quot;:&quot;2.0&quot;,&quot;id&quot;:7,&quot;method&quot;:&quot;tools/list&quot;}
          ▸ 0.031s ← {&quot;jsonrpc&quot;:&quot;2.0&quot;,&quot;id&quot;:7,&quot;result&quot;:{&quot;tools&quot;:[{&quot;name&quot;:&quot;add&quot;,&quot;description&quot;:&quot;Adds two numbers and returns the sum&quot;,&quot;inputSchema&quot;:{&quot;type&quot;:&quot;object&quot;}},{&quot;name&quot;:&quot;search files&quot;,&quot;description&quot;:&quot;Searches the files below the root for a word&quot;,&quot;inputSchema&quot;:{&quot;type&quot;:&quot;object&quot;,&quot;properties&quot;:{&quot;word&quot;:{&quot;type&quot;:&quot;string&quot;}},&quot;required&quot;:[&quot;word&quot;]}}]}}
                                                                                                                                                                            ^^^^^^^^^^^^^^
          expected  1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`
          got       &quot;search files&quot;
          spec      tools.list.name-format: a tool&apos;s name has 1 to 128 characters, and no spaces or other special characters
                    https://modelcontextprotocol.io/specification/2024-11-05/server/tools#tool-names
          again     mcp-conform ./my-server --revision 2024-11-05 -k tools/name-format
        </system-out>
                </testcase>
            </testsuite>
            <testsuite name="2025-03-26 stdio" tests="1" skipped="1" errors="0" failures="0">
                <properties>
                    <property name="tool" value="mcp-conform"/>
                    <property name="tool.version" value="0.1.0"/>
                    <property name="target" value="./my-server --db app.db"/>
                    <property name="server.name" value="my-server"/>
                    <property name="server.version" value="1.4.2"/>
                    <property name="revision" value="2025-03-26"/>
                    <property name="transport" value="stdio"/>
                    <property name="seed" value="7319"/>
                </properties>
                <testcase name="tools/call" classname="2025-03-26.stdio.tools" time="0.012">
                    <properties>
                        <property name="requirement" value="tools.call"/>
                        <property name="verdict" value="untestable"/>
                    </properties>
                    <skipped message="untestable: no tool can be called with generated arguments"/>
                </testcase>
            </testsuite>
            <testsuite name="2025-06-18 stdio" tests="0" skipped="0" errors="0" failures="0">
                <properties>
                    <property name="tool" value="mcp-conform"/>
                    <property name="tool.version" value="0.1.0"/>
                    <property name="target" value="./my-server --db app.db"/>
                    <property name="server.name" value="my-server"/>
                    <property name="server.version" value="1.4.2"/>
                    <property name="revision" value="2025-06-18"/>
                    <property name="transport" value="stdio"/>
                    <property name="seed" value="7319"/>
                </properties>
            </testsuite>
            <testsuite name="2025-11-25 stdio" tests="2" skipped="1" errors="1" failures="0">
                <properties>
                    <property name="tool" value="mcp-conform"/>
                    <property name="tool.version" value="0.1.0"/>
                    <property name="target" value="./my-server --db app.db"/>
                    <property name="server.name" value="my-server"/>
                    <property name="server.version" value="1.4.2"/>
                    <property name="revision" value="2025-11-25"/>
                    <property name="transport" value="stdio"/>
                    <property name="seed" value="7319"/>
                </properties>
                <testcase name="prompts/case-0" classname="2025-11-25.stdio.prompts" time="0.012">
                    <properties>
                        <property name="requirement" value="prompts.case-0"/>
                        <property name="verdict" value="not-applicable"/>
                    </properties>
                    <skipped message="not-applicable: the server does not declare prompts."/>
                </testcase>
                <testcase name="resources/read" classname="2025-11-25.stdio.resources" time="0.012">
                    <properties>
                        <property name="requirement" value="resources.read"/>
                        <property name="verdict" value="error"/>
                    </properties>
                    <error message="the case file asks for a fixture that is missing" type="MUST">  the case file asks for a fixture that is missing
          spec      resources.read: the server does what the case asks
                    https://modelcontextprotocol.io/specification/2025-11-25/basic#resources/read
        </error>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn hostile_text_stays_text() {
        let (header, finish) = samples::hostile();
        let bytes = render(&header, &finish).unwrap();
        let elements = parse(&bytes);
        let attribute = |element: &str, name: &str| -> Vec<String> {
            let of = elements.iter().filter(|(found, ..)| found == element);
            of.flat_map(|(_, attributes, _)| attributes)
                .filter(|(found, _)| found == name)
                .map(|(_, value)| value.clone())
                .collect()
        };
        assert_eq!(attribute("testsuites", "failures"), ["1"]);
        assert!(attribute("property", "value").contains(&r"]]><evil a='1'>\x1b[31m\x00".to_owned()));
        let failure = elements.iter().find(|(name, ..)| name == "failure").unwrap();
        assert!(
            failure.2.contains(r"]]></failure><script>alert(1)</script>\x00\x1b]52;c;aGk=\x07"),
            "{}",
            failure.2
        );
    }

    #[test]
    fn counts_are_those_of_the_summary() {
        let (header, finish) = samples::broken();
        let elements = parse(&render(&header, &finish).unwrap());
        let count = |name: &str| elements.iter().filter(|(found, ..)| found == name).count();
        let summary = finish.summary;
        assert_eq!(count("testcase"), summary.total());
        assert_eq!(count("failure"), summary.fail);
        assert_eq!(count("error"), summary.error);
        assert_eq!(count("skipped"), summary.not_applicable + summary.untestable);
        assert_eq!(count("system-out"), summary.warn);
        assert_eq!(count("testsuite"), header.revisions.len());
    }

    proptest! {
        #[test]
        fn always_well_formed((header, finish) in samples::any_run()) {
            let bytes = render(&header, &finish).unwrap();
            let text = std::str::from_utf8(&bytes).unwrap();
            prop_assert!(text.chars().all(is_xml));
            let cases: Vec<_> = parse(&bytes).into_iter().filter(|(name, ..)| name == "testcase").collect();
            prop_assert_eq!(cases.len(), finish.results.len());
        }
    }
}
