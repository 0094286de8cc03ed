//! The report: one HTML page that needs nothing else, from result files.

mod compare;
mod counts;
mod curves;
mod run;
mod sweep;

use std::fmt::Write as _;

use crate::document::Document;
use crate::fingerprint::{DEBUG_BUILD, Fingerprint, Machine};
use crate::plot::escape;
use crate::result::RunResult;

/// A result and what to call it.
#[derive(Debug, Clone)]
pub struct Named {
    /// From the file's name.
    pub name: String,
    /// The result.
    pub document: Document,
}

/// The page.
pub fn html(title: &str, documents: &[Named]) -> String {
    let mut body = format!("<header><h1>{}</h1>\n", escape(title));
    body.push_str(&machines(documents));
    body.push_str("</header>\n");
    if documents.len() > 1 {
        body.push_str("<nav>");
        for (index, named) in documents.iter().enumerate() {
            let _ = write!(body, r##"<a href="#d{index}">{}</a>"##, escape(&named.name));
        }
        body.push_str("</nav>\n");
    }
    let runs = runs_of(documents);
    body.push_str(&curves::overlaid(&runs));
    for (index, named) in documents.iter().enumerate() {
        let _ = writeln!(body, r#"<section id="d{index}">"#);
        body.push_str(&match &named.document {
            Document::Run(result) => run::html(&named.name, result),
            Document::Compare(comparison) => compare::html(&named.name, comparison),
            Document::Sweep(sweep) => sweep::html(&named.name, sweep),
        });
        body.push_str("</section>\n");
    }
    let style = include_str!("style.css");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(title)
    )
}

fn runs_of(documents: &[Named]) -> Vec<(&str, &RunResult)> {
    documents
        .iter()
        .filter_map(|named| match &named.document {
            Document::Run(result) => Some((named.name.as_str(), result.as_ref())),
            Document::Compare(_) | Document::Sweep(_) => None,
        })
        .collect()
}

/// Each machine once; more than one is a warning.
fn machines(documents: &[Named]) -> String {
    let mut machines: Vec<String> = Vec::new();
    for named in documents {
        let text = fingerprint(&named.document).machine.text();
        if !machines.contains(&text) {
            machines.push(text);
        }
    }
    let mut html = String::new();
    for machine in &machines {
        let _ = writeln!(html, "<p class=\"machine\">{}</p>", escape(machine));
    }
    let debug = |named: &Named| fingerprint(&named.document).generator_debug_build;
    if documents.iter().any(debug) {
        html.push_str(&banner(&format!("{DEBUG_BUILD}.")));
    }
    if machines.len() > 1 {
        html.push_str(&banner(
            "These results are of different machines: hold none against another.",
        ));
    }
    html
}

fn fingerprint(document: &Document) -> &Fingerprint {
    match document {
        Document::Run(result) => &result.fingerprint,
        Document::Compare(comparison) => &comparison.fingerprint,
        Document::Sweep(sweep) => &sweep.fingerprint,
    }
}

/// Something to be read before the figures.
fn banner(text: &str) -> String {
    format!("<p class=\"banner\">{}</p>\n", escape(text))
}

/// Where and how, folded.
fn details(of: &Fingerprint) -> String {
    let Machine {
        cpu_governor,
        clock_source,
        transparent_huge_pages,
        load_average,
        ..
    } = &of.machine;
    let mut rows = vec![
        ("command line", of.command_line.join(" ")),
        ("vltava-bench", of.generator_version.clone()),
        ("machine", of.machine.text()),
        ("began, seconds since 1970", of.began_unix_s.to_string()),
    ];
    let more = [
        ("the broker's command line", &of.broker_command_line),
        ("CPU governor", cpu_governor),
        ("clock source", clock_source),
        ("transparent huge pages", transparent_huge_pages),
    ];
    for (name, value) in more {
        rows.extend(value.as_ref().map(|value| (name, value.clone())));
    }
    rows.extend(load_average.map(|load| ("load average at the start", load.to_string())));
    let mut html = String::from("<details><summary>How and where</summary><table class=\"pairs\">");
    for (name, value) in rows {
        let _ = write!(
            html,
            "<tr><th>{}</th><td><code>{}</code></td></tr>",
            escape(name),
            escape(&value)
        );
    }
    html + "</table></details>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Comparison;
    use crate::curve::Sweep;

    fn named(name: &str, document: Document) -> Named {
        Named {
            name: name.to_owned(),
            document,
        }
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere_and_shows_every_document() {
        let documents = [
            named("first <run>", Document::Run(Box::default())),
            named("second", Document::Compare(Comparison::default())),
            named("third", Document::Sweep(Sweep::default())),
        ];
        let page = html("Figures", &documents);
        assert!(page.contains("first &lt;run&gt;") && !page.contains("<run>"));
        assert_eq!(page.matches("<section").count(), 3);
        for outside in ["http:", "https:", "src=", "<link", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn different_machines_are_pointed_out() {
        let mut other = RunResult::default();
        other.fingerprint.machine.cpu = "another".to_owned();
        let documents = [
            named("a", Document::Run(Box::default())),
            named("b", Document::Run(Box::new(other))),
        ];
        assert!(html("x", &documents).contains("different machines"));
        assert!(!html("x", &documents[..1]).contains("different machines"));
    }
}
