//! Results to the terminal and to files. Standard output has results alone; progress goes to standard error.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::document::Document;
use crate::hdr_files;
use crate::result::RunResult;
use crate::run::BenchError;

/// Prints a result.
///
/// # Errors
/// When standard output is closed or full.
pub fn print(text: &str) -> Result<(), BenchError> {
    let printed = std::io::stdout().lock().write_all(text.as_bytes());
    printed.map_err(|source| BenchError::File {
        path: "standard output".into(),
        source,
    })
}

/// Writes a file.
///
/// # Errors
/// When that is not possible.
pub fn write(path: &Path, text: &str) -> Result<(), BenchError> {
    fs::write(path, text).map_err(|source| BenchError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes a JSON file.
///
/// # Errors
/// When that is not possible.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), BenchError> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| BenchError::Other(format!("{}: {error}", path.display())))?;
    text.push('\n');
    write(path, &text)
}

/// The files of a result that were asked for; the interval log is written during the run.
#[derive(Debug, Default)]
pub struct Files {
    /// Everything.
    pub json: Option<PathBuf>,
    /// Distributions.
    pub hgrm: Option<PathBuf>,
}

impl Files {
    /// Of what has no distributions.
    pub fn json(path: &Option<PathBuf>) -> Files {
        Files {
            json: path.clone(),
            hgrm: None,
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// When that is not possible.
    pub fn write(&self, document: &Document) -> Result<(), BenchError> {
        if let Some(path) = &self.json {
            write_json(path, document)?;
        }
        let (Some(path), Document::Run(result)) = (&self.hgrm, document) else {
            return Ok(());
        };
        for (index, name) in in_order(result).into_iter().enumerate() {
            if let Some(histogram) = hdr_files::decode(&result.latencies[name].hdr) {
                let path = match index {
                    0 => path.clone(),
                    _ => beside(path, name),
                };
                write(&path, &hdr_files::percentile_distribution(&histogram))?;
            }
        }
        Ok(())
    }
}

/// The metrics of a result, the one it is about first.
fn in_order(result: &RunResult) -> Vec<&String> {
    let mut names: Vec<&String> = result.latencies.keys().collect();
    let place = |name: &str| ["consumed", "acknowledged"].iter().position(|n| *n == name);
    names.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
    names
}

/// `run.hgrm` to `run.lateness.hgrm`.
fn beside(path: &Path, name: &str) -> PathBuf {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_extension(format!("{name}.{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_distributions_go_beside_the_first() {
        let path = beside(Path::new("a/run.hgrm"), "lateness");
        assert_eq!(path, Path::new("a/run.lateness.hgrm"));
    }
}
