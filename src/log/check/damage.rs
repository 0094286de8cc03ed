//! Damage in a segment: how far it reaches, what a start makes of it, and whether it may be cut off.

use super::segment::Segment;
use super::{Check, Finding, Repair};
use crate::types::Offset;

/// Where a segment is damaged.
pub(super) struct Damage {
    pub(super) reason: String,
    /// Where whole batches begin again, and with which offset.
    pub(super) next: Option<(u64, Offset)>,
}

impl Check<'_> {
    /// Tells of damage in a segment: a torn end, or something before whole batches.
    pub(super) fn damage(&mut self, segment: &mut Segment, position: u64, damage: &Damage) {
        segment.damaged = true;
        let torn = damage.next.is_none() && segment.last;
        let synced = segment.end < self.expected.recovery_point;
        let what = self.extent(segment, position, damage);
        let then = match (torn, self.expected.metadata) {
            (true, true) if synced => {
                "a start refuses the metadata log, for this was on the disk: restore the file from a copy".to_owned()
            }
            (true, _) => self.torn(segment, synced),
            (false, true) => {
                "a start refuses the metadata log, lest topics are lost: restore the file from a copy".to_owned()
            }
            (false, false) => middle(segment, damage),
        };
        let mut finding = Finding::new(&segment.path, what, then).at(position, segment.end);
        if torn && !(synced && self.expected.metadata) {
            finding = finding.repaired_by(Repair::CutEnd {
                dir: self.dir.to_owned(),
                base: segment.base,
                position,
            });
        }
        self.found(finding);
    }

    /// What is wrong, and how far it reaches.
    fn extent(&self, segment: &Segment, position: u64, damage: &Damage) -> String {
        let reason = &damage.reason;
        match damage.next {
            Some((next, offset)) => format!(
                "{reason}; {} bytes up to the next whole batch, which begins with offset {offset}",
                next - position
            ),
            None => format!(
                "{reason}; no whole batch follows in its last {} bytes",
                segment.size - position
            ),
        }
    }

    fn torn(&self, segment: &Segment, synced: bool) -> String {
        let lost = match synced {
            true => format!(
                ", and records up to offset {} that were on the disk are lost with it: restore the file from a copy first",
                self.expected.recovery_point
            ),
            false => String::new(),
        };
        format!(
            "a start cuts it off, the log then ends at offset {}{lost}",
            segment.end
        )
    }
}

/// What becomes of damage before whole batches.
fn middle(segment: &Segment, damage: &Damage) -> String {
    let step_over = match damage.next {
        Some((_, next)) => {
            format!(
                ", or step over it: kafka-delete-records up to offset {next}, once all before is read"
            )
        }
        None => String::new(),
    };
    if segment.recovered {
        "a start after this unclean stop may cut the log off here, and whole batches behind it with it: copy the folder \
         away first, then restore the file from a copy"
            .to_owned()
    } else {
        format!(
            "a start leaves it as it is, and whoever reads it gets an error or a batch whose checksum is wrong: restore \
             the file from a copy{step_over}"
        )
    }
}
