//! `vltava-bench report`: one HTML page with plots, of result files.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::document::Document;
use crate::output;
use crate::page::{self, Named};
use crate::run::BenchError;

/// Options of `vltava-bench report`.
#[derive(Args, Debug, Clone)]
#[command(after_help = "\
Examples:
  vltava-bench report run.json -o run.html
  vltava-bench report limits.json compare.json sweep.json -o report.html --title 'Release 1.2'

The page needs nothing else: no network, no scripts. It has distributions, throughput and latency over time, bars with their spread \
for comparisons, and latency against throughput for sweeps. Several runs are laid over each other too.")]
pub struct ReportArgs {
    /// What commands wrote with --json
    #[arg(required = true, value_name = "RESULT.json")]
    pub results: Vec<PathBuf>,
    /// Where to write the page
    #[arg(long, short, value_name = "FILE", default_value = "report.html")]
    pub output: PathBuf,
    /// Its title
    #[arg(long, default_value = "Broker measurements")]
    pub title: String,
}

/// Reads the results and writes the page.
///
/// # Errors
/// When a file cannot be read or written, or is no result.
pub fn run(args: &ReportArgs) -> Result<(), BenchError> {
    let read = |path: &PathBuf| {
        Ok(Named {
            name: stem(path),
            document: Document::read(path)?,
        })
    };
    let documents = args
        .results
        .iter()
        .map(read)
        .collect::<Result<Vec<_>, BenchError>>()?;
    output::write(&args.output, &page::html(&args.title, &documents))?;
    output::print(&format!("{}\n", args.output.display()))
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}
