//! The metadata log: every record decodes and fits what came before it, and in the end it says which topics there should be.

use std::path::Path;

use bytes::Bytes;

use super::partitions::{end_leftovers, look_at};
use super::report::Report;
use super::top_files::TopFiles;
use crate::log::check::{Expected, Finding, Listener};
use crate::metadata::Image;
use crate::metadata::topic_name::CLUSTER_METADATA_TOPIC;
use crate::shard::take_batch;
use crate::types::Offset;
use crate::wire::records::Batch;

/// Takes in batches as long as they follow each other.
struct Replay<'a, 'b> {
    report: &'a mut Report<'b>,
    /// `None` once something was wrong: what follows would only be wrong with it.
    image: Option<Image>,
}

/// What the log in `folder` amounts to, if it can be read to its end.
pub(super) fn look(folder: &Path, top: &TopFiles, report: &mut Report<'_>) -> Option<Image> {
    let expected = Expected {
        clean: top.clean,
        recovery_point: top.recovery_point(CLUSTER_METADATA_TOPIC, 0),
        metadata: true,
        batches: true,
        ..Expected::default()
    };
    end_leftovers(folder, report);
    let mut replay = Replay {
        image: Some(Image::default()),
        report,
    };
    if has_snapshot(folder) {
        replay.report.note(&format!(
            "{}: has snapshots, which are not read: partitions are not compared with the topics there should be",
            folder.display()
        ));
        replay.image = None;
    }
    let facts = look_at(folder, &expected, &mut replay);
    let image = replay.image.filter(|_| facts.is_some());
    report.partition(&facts.unwrap_or_default());
    report.put_right();
    let end = image.as_ref().map(Image::end).unwrap_or_default();
    image.filter(|_| end > Offset::ZERO && end >= expected.recovery_point)
}

/// Whether records stand in a snapshot that the log need not have any more. One of offset 0 only says who votes.
fn has_snapshot(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let end = name
            .strip_suffix(".checkpoint")
            .and_then(|name| name.split_once('-'));
        end.is_some_and(|(end, _)| end.parse() != Ok(0))
    })
}

impl Listener for Replay<'_, '_> {
    fn found(&mut self, finding: Finding) {
        if finding.offset.is_some() {
            self.image = None;
        }
        self.report.wrong(finding);
    }

    fn note(&mut self, text: &str) {
        self.report.note(text);
    }

    fn passed(&mut self, bytes: u64) {
        self.report.passed(bytes);
    }

    fn batch(&mut self, path: &Path, position: u64, bytes: &[u8]) {
        let Some(image) = &mut self.image else { return };
        let offset = image.end();
        let taken = match Batch::new(Bytes::copy_from_slice(bytes)) {
            Ok(batch) => take_batch(image, &batch).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = taken {
            let then = "a start refuses the metadata log: restore the folder from a copy";
            self.found(Finding::new(path, reason, then).at(position, offset));
        }
    }
}
