//! `vltava config check`: what each line of a property file means, and whether anything would start with it.
//!
//! Reads the file as the broker and the console clients do (`config::explain`, `config::load`), prints, and touches nothing.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{CliError, client_properties};
use crate::config::client_table::ClientSide;
use crate::config::error::did_you_mean;
use crate::config::explain::{ExplainedLine, FileKind, Meaning, explain};
use crate::config::listener::Listener;
use crate::config::load::{load_text, read_bounded};

/// Options of `vltava config`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava config check /etc/kafka/server.properties
  vltava config check consumer.properties --as consumer")]
pub struct ConfigArgs {
    /// What to do with property files.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// The actions of `vltava config`.
#[derive(Subcommand, Debug, Clone)]
pub enum ConfigAction {
    /// Explain every line of a property file, and say whether a broker or client would start with it
    Check(CheckArgs),
}

/// Options of `vltava config check`.
#[derive(Args, Debug, Clone)]
#[command(
    long_about = "Explain every line of a property file, and say whether a broker or client would start with it.\n\n\
                  Each line that sets something is shown with its number and what it means here: the value that holds in \
                  the property's own unit, the property it is an older name of, why it has no effect, what is wrong with \
                  it, or what it promises that is not given. Nothing is started and nothing is changed.",
    after_help = "\
Exit code: 0 if a broker (or client) would start with the file, 1 if not, 2 for a wrong command line.
A busy port or a locked directory is found only by starting: `vltava serve FILE`.

Examples:
  vltava config check server.properties
  vltava config check server.properties --strict
      a name that nobody knows counts as a fault, as with `vltava serve --strict`
  vltava config check my-client.properties --as producer"
)]
pub struct CheckArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Whose file it is [default: told by its name, or else by the properties in it]
    #[arg(long = "as", value_enum, value_name = "WHOSE")]
    pub kind: Option<Whose>,

    /// Take a name that nobody knows for a fault
    #[arg(long)]
    pub strict: bool,
}

/// Whose property file.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// server.properties
    Broker,
    /// consumer.properties
    Consumer,
    /// producer.properties
    Producer,
}

impl Whose {
    const ALL: [Whose; 3] = [Whose::Broker, Whose::Consumer, Whose::Producer];

    fn kind(self) -> FileKind {
        match self {
            Whose::Broker => FileKind::Broker,
            Whose::Consumer => FileKind::Client(ClientSide::Consumer),
            Whose::Producer => FileKind::Client(ClientSide::Producer),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Whose::Broker => "broker",
            Whose::Consumer => "consumer",
            Whose::Producer => "producer",
        }
    }
}

/// Runs `vltava config`.
///
/// # Errors
/// [`CliError::Reported`] when nothing would start with the file.
pub fn run(args: &ConfigArgs, out: &mut impl Write) -> Result<(), CliError> {
    let ConfigAction::Check(args) = &args.action;
    let file = args.file.display().to_string();
    let failed = |error: crate::config::ConfigError| CliError::Failed(error.to_string());
    let text = read_bounded(&args.file).map_err(failed)?;
    let whose = match args.kind {
        Some(whose) => whose,
        None => detect(&args.file, &file, &text).map_err(failed)?,
    };
    let lines = explain(whose.kind(), &file, &text).map_err(failed)?;
    print_lines(out, &file, whose, &lines)?;
    print_counts(out, &lines)?;
    let verdict = match whose.kind() {
        FileKind::Broker => check_broker(out, &file, &text, args.strict)?,
        FileKind::Client(side) => client_properties::parse(side, &file, &text)
            .map(drop)
            .map_err(|error| error.to_string()),
    };
    let verdict = verdict.and_then(|()| check_names(&lines, args.strict));
    match verdict {
        Ok(()) => {
            writeln!(out, "A {} would start with this file.", whose.name())?;
            Ok(())
        }
        Err(why) => {
            writeln!(
                out,
                "A {} would not start with this file: {why}.",
                whose.name()
            )?;
            Err(CliError::Reported)
        }
    }
}

/// By the name of the file where that says it; else whose properties it has most of.
fn detect(
    path: &std::path::Path,
    file: &str,
    text: &str,
) -> Result<Whose, crate::config::ConfigError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for (word, whose) in [
        ("consumer", Whose::Consumer),
        ("producer", Whose::Producer),
        ("server", Whose::Broker),
        ("broker", Whose::Broker),
    ] {
        if name.contains(word) {
            return Ok(whose);
        }
    }
    let mut best = (0, Whose::Broker);
    for whose in Whose::ALL {
        let lines = explain(whose.kind(), file, text)?;
        let known = lines
            .iter()
            .filter(|line| !matches!(line.meaning, Meaning::Unknown { .. } | Meaning::NoProperty));
        let known = known.count();
        if known > best.0 {
            best = (known, whose);
        }
    }
    Ok(best.1)
}

fn print_lines(
    out: &mut impl Write,
    file: &str,
    whose: Whose,
    lines: &[ExplainedLine],
) -> Result<(), CliError> {
    let widths = lines.iter().map(|line| columns(&printable(&line.key)));
    let width = widths.max().unwrap_or(0).max("property".len());
    writeln!(out, "{file}, read as a {}'s file", whose.name())?;
    writeln!(out)?;
    writeln!(out, "line  {:width$}  here", "property")?;
    for line in lines {
        let key = printable(&line.key);
        let gap = " ".repeat(width - columns(&key));
        writeln!(out, "{:>4}  {key}{gap}  {}", line.line, words(line))?;
    }
    writeln!(out)?;
    Ok(())
}

/// Columns of the longest name that is shown whole.
const WIDEST_NAME: usize = 48;

/// Columns a character takes in a terminal: those of East Asian scripts take two.
fn columns_of(c: char) -> usize {
    let is_wide = matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60);
    if is_wide { 2 } else { 1 }
}

fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The start of what was written, without what would move the cursor.
fn printable(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        if columns(&shown) + columns_of(c) > WIDEST_NAME {
            shown.push('…');
            break;
        }
        shown.push(if c.is_control() { '\u{fffd}' } else { c });
    }
    shown
}

fn words(line: &ExplainedLine) -> String {
    let written = printable(&line.written);
    match &line.meaning {
        Meaning::InForce(holds) => {
            let plain = holds.value.to_string() == line.written || line.written == "[hidden]";
            if plain {
                holds.shown()
            } else {
                format!("{}  (written {written})", holds.shown())
            }
        }
        Meaning::Mapped { to, holds } => format!("sets {}: {}", to.name, holds.shown()),
        Meaning::Unset { property } => match &property.default {
            Some("") | None => "says nothing; it is not set".to_owned(),
            Some(default) => format!("says nothing; the default holds: {default}"),
        },
        Meaning::Replaced { by_line } => format!("replaced by line {by_line}"),
        Meaning::WithoutEffect { holds, why } => {
            format!("{}, without effect in this version: {why}", holds.shown())
        }
        Meaning::Unknown { nearest } => format!("unknown, ignored{}", did_you_mean(nearest)),
        Meaning::NoProperty => "no property, ignored".to_owned(),
        Meaning::Wrong { why, right, .. } => {
            format!("WRONG: {written}: {why}; it takes {right}")
        }
        Meaning::Refused { why } => format!("REFUSED: {why}"),
    }
}

fn print_counts(out: &mut impl Write, lines: &[ExplainedLine]) -> Result<(), CliError> {
    let count = |is: fn(&Meaning) -> bool| lines.iter().filter(|line| is(&line.meaning)).count();
    let counts = [
        (count(|m| matches!(m, Meaning::InForce(_))), "in force"),
        (
            count(|m| matches!(m, Meaning::Mapped { .. })),
            "under an older name",
        ),
        (
            count(|m| matches!(m, Meaning::WithoutEffect { .. })),
            "without effect",
        ),
        (count(|m| matches!(m, Meaning::Unset { .. })), "not set"),
        (count(|m| matches!(m, Meaning::Replaced { .. })), "replaced"),
        (count(|m| matches!(m, Meaning::NoProperty)), "no property"),
        (count(|m| matches!(m, Meaning::Unknown { .. })), "unknown"),
        (count(|m| matches!(m, Meaning::Wrong { .. })), "wrong"),
        (count(|m| matches!(m, Meaning::Refused { .. })), "refused"),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<_> = told
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let lines = lines.len();
    writeln!(out, "{lines} lines: {}.", told.join(", "))?;
    Ok(())
}

/// Whether a broker would start; says where it would listen and keep its data.
fn check_broker(
    out: &mut impl Write,
    file: &str,
    text: &str,
    strict: bool,
) -> Result<Result<(), String>, CliError> {
    let loaded = match load_text(Some((file, text)), &[], strict) {
        Ok(loaded) => loaded,
        Err(error) => return Ok(Err(error.to_string())),
    };
    // What is about single lines stands there already.
    let of_line = format!("{file}:");
    let about_all = |warning: &&String| {
        !warning.starts_with(&of_line) && !warning.starts_with("known, but without effect")
    };
    for warning in loaded.warnings.iter().filter(about_all) {
        writeln!(out, "Note: {warning}.")?;
    }
    let dirs = loaded.config.log_dirs.iter();
    let dirs: Vec<_> = dirs.map(|dir| dir.display().to_string()).collect();
    let listeners: Vec<_> = loaded.config.listeners.iter().map(address).collect();
    writeln!(
        out,
        "It would listen on {} and keep its data in {}.",
        listeners.join(", "),
        dirs.join(", ")
    )?;
    Ok(Ok(()))
}

fn address(listener: &Listener) -> String {
    let host = match listener.host.as_str() {
        "" => "every interface",
        host => host,
    };
    format!("{}://{host}:{}", listener.name, listener.port)
}

/// With `--strict` a name that nobody knows is a fault.
fn check_names(lines: &[ExplainedLine], strict: bool) -> Result<(), String> {
    let unknown = lines
        .iter()
        .find(|line| matches!(line.meaning, Meaning::Unknown { .. } | Meaning::NoProperty));
    match unknown {
        Some(line) if strict => Err(format!(
            "line {}: unknown property {}",
            line.line,
            printable(&line.key)
        )),
        _ => Ok(()),
    }
}
