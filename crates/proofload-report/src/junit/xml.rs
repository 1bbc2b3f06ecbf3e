//! Test suites as XML.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::suites::{Case, Outcome, Suite};

type Xml = Writer<Vec<u8>>;

/// The whole document, with a final line break.
pub(super) fn document(name: &str, suites: &[Suite]) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = write(&mut xml, name, suites);
    let mut text = String::from_utf8_lossy(&xml.into_inner()).into_owned();
    text.push('\n');
    text
}

fn write(xml: &mut Xml, name: &str, suites: &[Suite]) -> std::io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let cases = || suites.iter().flat_map(|suite| &suite.cases);
    let mut root = element("testsuites", &[("name", name)]);
    counts(&mut root, cases());
    attribute(&mut root, "time", &seconds(suites.iter().map(Suite::seconds).sum()));
    xml.write_event(Event::Start(root))?;
    for (id, suite) in suites.iter().enumerate() {
        write_suite(xml, id, suite)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))
}

fn write_suite(xml: &mut Xml, id: usize, suite: &Suite) -> std::io::Result<()> {
    let id = id.to_string();
    let mut start = element(
        "testsuite",
        &[
            ("name", &suite.name),
            ("id", &id),
            ("package", &suite.package),
            ("hostname", &suite.host),
        ],
    );
    counts(&mut start, suite.cases.iter());
    attribute(&mut start, "skipped", &count(suite.cases.iter(), Outcome::is_skipped));
    attribute(&mut start, "time", &seconds(suite.seconds()));
    attribute(&mut start, "timestamp", &suite.timestamp);
    xml.write_event(Event::Start(start))?;
    if !suite.properties.is_empty() {
        xml.write_event(Event::Start(BytesStart::new("properties")))?;
        for (name, value) in &suite.properties {
            let property = element("property", &[("name", name), ("value", value)]);
            xml.write_event(Event::Empty(property))?;
        }
        xml.write_event(Event::End(BytesEnd::new("properties")))?;
    }
    for case in &suite.cases {
        write_case(xml, suite, case)?;
    }
    if !suite.output.is_empty() {
        write_text(xml, BytesStart::new("system-out"), &suite.output)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))
}

fn write_case(xml: &mut Xml, suite: &Suite, case: &Case) -> std::io::Result<()> {
    let time = seconds(case.seconds);
    let start =
        element("testcase", &[("name", &case.name), ("classname", &suite.class), ("time", &time)]);
    let (tag, kind, message, detail) = match &case.outcome {
        Outcome::Passed => return xml.write_event(Event::Empty(start)),
        Outcome::Skipped(message) => ("skipped", None, message, None),
        Outcome::Failed { kind, message, detail } => {
            ("failure", Some(*kind), message, Some(detail))
        }
        Outcome::Errored { kind, message, detail } => ("error", Some(*kind), message, Some(detail)),
    };
    xml.write_event(Event::Start(start))?;
    let mut why = element(tag, &[("message", message)]);
    if let Some(kind) = kind {
        attribute(&mut why, "type", kind);
    }
    match detail.filter(|detail| !detail.is_empty()) {
        Some(detail) => write_text(xml, why, detail)?,
        None => xml.write_event(Event::Empty(why))?,
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn write_text(xml: &mut Xml, start: BytesStart<'_>, text: &str) -> std::io::Result<()> {
    let end = start.to_end().into_owned();
    xml.write_event(Event::Start(start))?;
    xml.write_event(Event::Text(BytesText::new(&allowed(text))))?;
    xml.write_event(Event::End(end))
}

fn element<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (name, value) in attributes {
        attribute(&mut start, name, value);
    }
    start
}

fn attribute(start: &mut BytesStart<'_>, name: &str, value: &str) {
    // A reader makes spaces of line breaks in attributes anyway.
    let line: String = value.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    start.push_attribute((name, allowed(&line).as_str()));
}

fn counts<'a>(start: &mut BytesStart<'_>, cases: impl Iterator<Item = &'a Case> + Clone) {
    attribute(start, "tests", &count(cases.clone(), |_| true));
    attribute(start, "failures", &count(cases.clone(), Outcome::is_failed));
    attribute(start, "errors", &count(cases, Outcome::is_errored));
}

fn count<'a>(cases: impl Iterator<Item = &'a Case>, is_so: fn(&Outcome) -> bool) -> String {
    cases.filter(|case| is_so(&case.outcome)).count().to_string()
}

/// At most three decimals, which is all that `junit-10.xsd` allows.
fn seconds(seconds: f64) -> String {
    // The sum of nothing is -0.
    format!("{:.3}", if seconds.is_finite() && seconds > 0.0 { seconds } else { 0.0 })
}

/// The text without the characters that XML 1.0 cannot hold in any spelling (section 2.2 of the
/// recommendation), and without those that a console could act upon.
fn allowed(text: &str) -> String {
    let is_allowed = |c: char| match c {
        '\t' | '\n' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    };
    text.chars().map(|c| if is_allowed(c) { c } else { '\u{fffd}' }).collect()
}
