//! Which leader epoch began at which offset, and its file `leader-epoch-checkpoint`.
//!
//! The file is Kafka's `LeaderEpochCheckpointFile`: a version, the number of entries, then `<epoch> <start offset>` a line:
//! ```text
//! 0
//! 1
//! 0 0
//! ```

use crate::types::{LeaderEpoch, Offset};

/// What stands for "no such epoch" in answers (behaviour of Kafka's `LeaderEpochFileCache`).
pub const UNDEFINED: (LeaderEpoch, Offset) = (LeaderEpoch(-1), Offset(-1));

/// The epochs of a log, oldest first; both columns only grow.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct LeaderEpochs {
    entries: Vec<(LeaderEpoch, Offset)>,
}

impl LeaderEpochs {
    /// Notes that `epoch` writes at `start`; returns whether that is new. An epoch older than the latest is ignored.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        if epoch.0 < 0 || self.latest().is_some_and(|latest| epoch <= latest) {
            return false;
        }
        // Epochs that wrote nothing make room for the one that does.
        self.entries.retain(|(_, offset)| *offset < start);
        self.entries.push((epoch, start));
        true
    }

    /// The newest epoch.
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|(epoch, _)| *epoch)
    }

    /// The epoch that wrote the record at `offset`.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|(_, start)| *start <= offset);
        Some(self.entries[after.checked_sub(1)?].0)
    }

    /// The largest epoch not above `requested` and the offset where it ended; [`UNDEFINED`] for an epoch that is not known
    /// yet. For one older than all, the requested epoch itself and the start of the first.
    pub fn end_offset_for(
        &self,
        requested: LeaderEpoch,
        log_end_offset: Offset,
    ) -> (LeaderEpoch, Offset) {
        let above = self
            .entries
            .partition_point(|(epoch, _)| *epoch <= requested);
        let floor = above.checked_sub(1).map(|at| self.entries[at].0);
        match (floor, self.entries.get(above)) {
            _ if requested.0 < 0 => UNDEFINED,
            (Some(epoch), None) if epoch == requested => (epoch, log_end_offset),
            (_, None) => UNDEFINED,
            (floor, Some((_, end))) => (floor.unwrap_or(requested), *end),
        }
    }

    /// Forgets epochs that begin at or after `end`; returns whether any did.
    pub fn truncate_from(&mut self, end: Offset) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(_, start)| *start < end);
        self.entries.len() != before
    }

    /// Forgets epochs that ended at or before `start`; the one that is under way there begins there.
    pub fn begin_at(&mut self, start: Offset) {
        let after = self.entries.partition_point(|(_, offset)| *offset <= start);
        if let Some(under_way) = after.checked_sub(1) {
            self.entries.drain(..under_way);
            self.entries[0].1 = start;
        }
    }

    /// Where the oldest epoch begins.
    pub fn start(&self) -> Option<Offset> {
        self.entries.first().map(|(_, start)| *start)
    }

    /// The content of the file.
    pub fn encode(&self) -> String {
        let mut content = format!("0\n{}\n", self.entries.len());
        for (epoch, start) in &self.entries {
            content.push_str(&format!("{} {start}\n", epoch.0));
        }
        content
    }

    /// The epochs in a file's content; `None` if it is damaged.
    pub fn decode(content: &str) -> Option<LeaderEpochs> {
        let mut lines = content.lines();
        if lines.next()?.trim() != "0" {
            return None;
        }
        let count: usize = lines.next()?.trim().parse().ok()?;
        let mut epochs = LeaderEpochs::default();
        for line in lines {
            let (epoch, start) = line.trim().split_once(' ')?;
            let (epoch, start) = (epoch.parse().ok()?, start.parse().ok()?);
            epochs.entries.push((LeaderEpoch(epoch), Offset(start)));
        }
        let grows = epochs
            .entries
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        (epochs.entries.len() == count && grows).then_some(epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(entries: &[(i32, i64)]) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        for (epoch, start) in entries {
            assert!(epochs.assign(LeaderEpoch(*epoch), Offset(*start)));
        }
        epochs
    }

    fn end(epochs: &LeaderEpochs, requested: i32) -> (i32, i64) {
        let (epoch, offset) = epochs.end_offset_for(LeaderEpoch(requested), Offset(100));
        (epoch.0, offset.0)
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins_and_the_latest_at_the_log_end() {
        let epochs = epochs(&[(2, 0), (4, 30), (7, 60)]);
        assert_eq!(end(&epochs, 7), (7, 100));
        assert_eq!(end(&epochs, 6), (4, 60));
        assert_eq!(end(&epochs, 4), (4, 60));
        assert_eq!(end(&epochs, 2), (2, 30));
    }

    #[test]
    fn unknown_epochs_are_undefined_and_older_ones_end_at_the_start() {
        let epochs = epochs(&[(2, 10), (4, 30)]);
        assert_eq!(end(&epochs, 5), (-1, -1));
        assert_eq!(end(&epochs, -1), (-1, -1));
        assert_eq!(end(&epochs, 1), (1, 10));
        assert_eq!(end(&LeaderEpochs::default(), 0), (-1, -1));
    }

    #[test]
    fn the_epoch_of_a_record_is_the_one_that_began_before_it() {
        let epochs = epochs(&[(2, 10), (4, 30)]);
        assert_eq!(epochs.epoch_at(Offset(9)), None);
        assert_eq!(epochs.epoch_at(Offset(29)), Some(LeaderEpoch(2)));
        assert_eq!(epochs.epoch_at(Offset(30)), Some(LeaderEpoch(4)));
    }

    #[test]
    fn epochs_before_a_new_start_are_forgotten_and_the_one_there_begins_there() {
        let started_at = |start| {
            let mut epochs = epochs(&[(2, 0), (4, 30), (7, 60)]);
            epochs.begin_at(Offset(start));
            epochs.encode()
        };
        assert_eq!(started_at(0), "0\n3\n2 0\n4 30\n7 60\n");
        assert_eq!(started_at(29), "0\n3\n2 29\n4 30\n7 60\n");
        assert_eq!(started_at(30), "0\n2\n4 30\n7 60\n");
        assert_eq!(started_at(99), "0\n1\n7 99\n");
    }

    #[test]
    fn an_epoch_that_wrote_nothing_is_replaced() {
        let epochs = epochs(&[(0, 0), (1, 5), (2, 5)]);
        assert_eq!(epochs.encode(), "0\n2\n0 0\n2 5\n");
    }

    #[test]
    fn the_file_comes_back_and_a_damaged_one_is_noticed() {
        let mut before = epochs(&[(0, 0), (3, 17)]);
        assert_eq!(LeaderEpochs::decode(&before.encode()), Some(before.clone()));
        for damaged in [
            "",
            "1\n0\n",
            "0\n2\n0 0\n",
            "0\n1\n0 x\n",
            "0\n2\n3 0\n1 4\n",
        ] {
            assert_eq!(LeaderEpochs::decode(damaged), None, "{damaged:?}");
        }
        assert!(before.truncate_from(Offset(17)));
        assert_eq!(before.latest(), Some(LeaderEpoch(0)));
    }
}
