//! What was found, for a reader and for a program.

use std::io::{self, Write};

use super::files::Planned;
use super::finding::{Advice, Finding, Remedy, Setting, Verdict};
use super::host::{Host, Whose, as_cpu_list};
use super::plan::Plan;
use super::written::Kind;
use crate::cli::kafka::json::Json;

/// Everything there is to report.
pub struct Report<'a> {
    /// The host.
    pub host: &'a Host,
    /// The broker it was looked at for.
    pub plan: &'a Plan,
    /// What was found, the worst first.
    pub findings: &'a [Finding],
    /// The files that `--apply` would write, or why it would not.
    pub files: Result<&'a [Planned], &'a str>,
}

/// Columns that a line may have.
const WIDTH: usize = 110;
/// Where what is said of a topic begins.
const INDENT: usize = 28;

/// The report as text.
///
/// # Errors
/// `out` cannot be written.
pub fn print(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for sentence in looked_at(report) {
        paragraph(out, "", 0, &sentence)?;
    }
    writeln!(out)?;
    for finding in report.findings {
        let head = format!("{:<9} {:<17} ", finding.verdict.word(), finding.topic);
        paragraph(out, &head, INDENT, &finding.is)?;
        if let Some(advice) = &finding.advice {
            print_advice(advice, report.files.unwrap_or_default(), out)?;
        }
    }
    writeln!(out)?;
    paragraph(out, "", 0, &summary(report))
}

fn print_advice(advice: &Advice, files: &[Planned], out: &mut dyn Write) -> io::Result<()> {
    let mut line = |name: &str, text: &str| {
        let head = format!("{:18}{name:<10}", "");
        paragraph(out, &head, INDENT, text)
    };
    line("should be", &advice.should)?;
    line("why", advice.why)?;
    line("buys", &format!("{} ({})", advice.buys, advice.source))?;
    let (set, undo) = steps(&advice.remedy, files);
    for step in set {
        line("set", &step)?;
    }
    for step in undo {
        line("undo", &step)?;
    }
    writeln!(out)
}

/// What to do, and how to take it back.
fn steps(remedy: &Remedy, files: &[Planned]) -> (Vec<String>, Vec<String>) {
    let (kind, settings) = match remedy {
        Remedy::ByHand { set, undo } => return (set.clone(), undo.clone()),
        Remedy::Sysctl(settings) => (Kind::Sysctl, settings),
        Remedy::DropIn(settings) => (Kind::DropIn, settings),
    };
    let loads = files.iter().find_map(|file| file.loads(kind, settings));
    let how = match loads {
        Some(command) => format!("written already, in force after: {command}"),
        None => "--apply".to_owned(),
    };
    let what = match kind {
        Kind::Sysctl => "sysctl",
        Kind::DropIn => "of the service:",
    };
    let set = |setting: &Setting| format!("{what} {}={} ({how})", setting.key, setting.value);
    let undo = |setting: &Setting| format!("vltava tune --undo; {}", setting.undo);
    (
        settings.iter().map(set).collect(),
        settings.iter().map(undo).collect(),
    )
}

fn looked_at(report: &Report<'_>) -> Vec<String> {
    let (host, plan) = (report.host, report.plan);
    let memory = host.memory.map_or("memory unknown".to_owned(), |bytes| {
        format!("{} GiB", bytes >> 30)
    });
    let cpus = match &plan.cpus[..] {
        [] => "CPUs unknown".to_owned(),
        cpus => format!(
            "{} on CPUs {}",
            plural(cpus.len(), "executor"),
            as_cpu_list(cpus)
        ),
    };
    let dirs: Vec<_> = plan
        .data_dirs
        .iter()
        .map(|dir| dir.display().to_string())
        .collect();
    let mut said = vec![format!(
        "Linux {}, {} online, {memory}. The broker, {}: {cpus}, data in {}.",
        host.release.as_deref().unwrap_or("unknown"),
        plural(host.cpus.online.len(), "CPU"),
        plan.known_from,
        dirs.join(", ")
    )];
    said.push(match host.process.whose {
        Whose::Of(pid) => format!("Limits are those of process {pid}."),
        Whose::Own => "No broker was found running (or more than one: --pid), so limits are those of this command; a service has its own."
            .to_owned(),
    });
    if host.is_container {
        said.push(
            "This is a container: what the kernel does for all is set on its host.".to_owned(),
        );
    }
    said
}

fn plural(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn summary(report: &Report<'_>) -> String {
    let count = |verdict| {
        report
            .findings
            .iter()
            .filter(|found| found.verdict == verdict)
            .count()
    };
    let mut said = match count(Verdict::Must) + count(Verdict::Change) {
        0 => "Nothing has to be changed.".to_owned(),
        due => format!("{due} to change."),
    };
    for (verdict, what) in [
        (Verdict::Consider, "to consider"),
        (Verdict::Unseen, "not seen"),
    ] {
        if count(verdict) > 0 {
            said.push_str(&format!(" {} {what}.", count(verdict)));
        }
    }
    match report.files {
        Ok(files) if files.iter().any(Planned::is_new) => {
            let paths = files.iter().filter(|file| file.is_new());
            let paths: Vec<_> = paths
                .map(|file| file.path().display().to_string())
                .collect();
            said.push_str(&format!(
                " `vltava tune --apply` writes {}; with --dry-run it shows them.",
                paths.join(" and ")
            ));
        }
        Ok(_) => {}
        Err(why) => said.push_str(&format!(" --apply would write nothing: {why}.")),
    }
    said
}

/// A text behind a head, whose further lines begin where the first one does.
fn paragraph(out: &mut dyn Write, head: &str, indent: usize, text: &str) -> io::Result<()> {
    let mut line = head.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let columns = line.chars().count() + word.chars().count();
        if !is_empty && columns >= WIDTH {
            writeln!(out, "{}", line.trim_end())?;
            line = " ".repeat(indent);
        }
        line.push_str(word);
        line.push(' ');
        is_empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}

/// The report as one object of JSON.
pub fn json(report: &Report<'_>) -> Json {
    let files = report.files.unwrap_or_default();
    let texts = |texts: &[String]| Json::List(texts.iter().map(|text| Json::text(text)).collect());
    let paths = report
        .plan
        .data_dirs
        .iter()
        .map(|dir| dir.display().to_string());
    let file = |file: &Planned| {
        Json::object([
            ("path", Json::text(&file.path().display().to_string())),
            (
                "content",
                file.then.as_deref().map_or(Json::Null, Json::text),
            ),
            ("is_new", Json::Bool(file.is_new())),
        ])
    };
    Json::object([
        (
            "kernel",
            report
                .host
                .release
                .as_deref()
                .map_or(Json::Null, Json::text),
        ),
        (
            "process",
            match report.host.process.whose {
                Whose::Of(pid) => Json::number(pid),
                Whose::Own => Json::Null,
            },
        ),
        ("cpus", Json::text(&as_cpu_list(&report.plan.cpus))),
        ("data_dirs", texts(&paths.collect::<Vec<_>>())),
        (
            "findings",
            Json::List(
                report
                    .findings
                    .iter()
                    .map(|finding| finding_json(finding, files))
                    .collect(),
            ),
        ),
        ("files", Json::List(files.iter().map(file).collect())),
    ])
}

fn finding_json(finding: &Finding, files: &[Planned]) -> Json {
    let verdict = match finding.verdict {
        Verdict::Must => "must",
        Verdict::Change => "change",
        Verdict::Consider => "consider",
        Verdict::Fine => "ok",
        Verdict::Unseen => "unseen",
    };
    let mut pairs = vec![
        ("topic", Json::text(finding.topic)),
        ("verdict", Json::text(verdict)),
        ("is", Json::text(&finding.is)),
    ];
    if let Some(advice) = &finding.advice {
        let texts = |texts: Vec<String>| Json::List(texts.into_iter().map(Json::Text).collect());
        let (set, undo) = steps(&advice.remedy, files);
        let place = match advice.remedy {
            Remedy::Sysctl(_) => "sysctl",
            Remedy::DropIn(_) => "systemd",
            Remedy::ByHand { .. } => "by hand",
        };
        pairs.extend([
            ("should", Json::text(&advice.should)),
            ("why", Json::text(advice.why)),
            ("buys", Json::text(advice.buys)),
            ("source", Json::text(advice.source)),
            ("where", Json::text(place)),
            ("set", texts(set)),
            ("undo", texts(undo)),
        ]);
    }
    let owned = |(key, value): (&str, Json)| (key.to_owned(), value);
    Json::Object(pairs.into_iter().map(owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_goes_on_below_its_beginning() {
        let mut out = Vec::new();
        paragraph(&mut out, "head ", 5, &"word ".repeat(40)).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("head word") && lines[1].starts_with("     word"));
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{text}");
    }
}
