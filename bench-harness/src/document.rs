//! What `--json` writes and `report` reads: one of the kinds of results.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::curve::Sweep;
use crate::result::RunResult;
use crate::run::BenchError;

/// A file of results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "document", rename_all = "lowercase")]
pub enum Document {
    /// One run.
    Run(Box<RunResult>),
    /// Brokers beside each other.
    Compare(Comparison),
    /// Loads beside each other.
    Sweep(Sweep),
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is something else.
    pub fn read(path: &Path) -> Result<Document, BenchError> {
        let text = std::fs::read_to_string(path).map_err(|source| BenchError::File {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_str(&text).map_err(|error| {
            let path = path.display();
            BenchError::Other(format!("{path} is no result of vltava-bench: {error}"))
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        match self {
            Document::Run(result) => result.text(),
            Document::Compare(comparison) => comparison.text(),
            Document::Sweep(sweep) => sweep.text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_says_what_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sweep.json");
        let sweep = Document::Sweep(Sweep::default());
        let json = serde_json::to_string(&sweep).unwrap();
        assert!(json.contains(r#""document":"sweep""#), "{json}");
        std::fs::write(&path, json).unwrap();
        assert_eq!(Document::read(&path).unwrap(), sweep);
        std::fs::write(&path, "{}").unwrap();
        let error = Document::read(&path).unwrap_err().to_string();
        assert!(error.contains("no result of vltava-bench"), "{error}");
    }
}
