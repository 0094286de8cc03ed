//! Forgetting on request: DeleteGroups, OffsetDelete, deleted topics.

use super::answer::{GroupAnswer, GroupError, LogRecord, WriteId};
use super::encode;
use super::request::{DeleteOffsetsRequest, RequestId};
use super::state::{Group, State};
use super::turn::{Then, Turn};
use crate::limits::FORGOTTEN_OFFSETS_WRITE_BYTES;

type Partitions = Vec<(String, i32)>;

impl Group {
    /// Decides on a DeleteGroups.
    pub fn delete(&mut self, turn: &mut Turn, id: RequestId) {
        if self.forgetting.is_some() {
            return turn.answer(id, GroupAnswer::Delete(Err(GroupError::GroupIdNotFound)));
        }
        if self.state != State::Empty {
            return turn.answer(id, GroupAnswer::Delete(Err(GroupError::NonEmptyGroup)));
        }
        self.pending.clear();
        let known = self.offsets.known();
        let all: Partitions = known.map(|(topic, p)| (topic.to_owned(), p)).collect();
        let write = self.forget(turn, all);
        turn.answer_when(Some(write), id, GroupAnswer::Delete(Ok(())));
    }

    /// Forgets these positions, which are all there are, and the group. The last of its writes.
    pub fn forget(&mut self, turn: &mut Turn, partitions: Partitions) -> WriteId {
        let (mut records, mut rest) =
            self.forget_positions_but_few(turn, partitions, || Then::PartlyForgotten);
        records.push(encode::group_tombstone(&self.name));
        let rest = rest.drain(..).map(|partition| (partition, None)).collect();
        let write = turn.write(self, records, rest, Then::Forgotten);
        self.forgetting = Some(write);
        write
    }

    /// Forgets these positions. The last of its writes; `None` for nothing to forget.
    pub fn forget_positions(&mut self, turn: &mut Turn, partitions: Partitions) -> Option<WriteId> {
        if partitions.is_empty() {
            return None;
        }
        let (records, rest) = self.forget_positions_but_few(turn, partitions, || Then::Nothing);
        let rest = rest
            .into_iter()
            .map(|partition| (partition, None))
            .collect();
        Some(turn.write(self, records, rest, Then::Nothing))
    }

    /// Writes all but the last that fit into one write; those are returned.
    fn forget_positions_but_few(
        &mut self,
        turn: &mut Turn,
        partitions: Partitions,
        then: fn() -> Then,
    ) -> (Vec<LogRecord>, Partitions) {
        let (mut records, mut chunk, mut bytes) = (vec![], vec![], 0);
        for (topic, partition) in partitions {
            let record = encode::offset_tombstone(&self.name, &topic, partition);
            bytes += record.key.len();
            if bytes > FORGOTTEN_OFFSETS_WRITE_BYTES && !chunk.is_empty() {
                bytes = record.key.len();
                let full: Partitions = std::mem::take(&mut chunk);
                let changes = full
                    .into_iter()
                    .map(|partition| (partition, None))
                    .collect();
                turn.write(self, std::mem::take(&mut records), changes, then());
            }
            records.push(record);
            chunk.push((topic, partition));
        }
        (records, chunk)
    }

    /// Decides on an OffsetDelete.
    pub fn delete_offsets(
        &mut self,
        turn: &mut Turn,
        id: RequestId,
        request: DeleteOffsetsRequest,
    ) {
        if self.state != State::Empty && !self.is_consumer() {
            let error = GroupError::NonEmptyGroup;
            return turn.answer(id, GroupAnswer::DeleteOffsets(Err(error)));
        }
        let (mut outcomes, mut known) = (Vec::new(), Vec::new());
        for (topic, partition) in request.partitions {
            if self.is_subscribed(&topic) {
                outcomes.push(Err(GroupError::GroupSubscribedToTopic));
                continue;
            }
            outcomes.push(Ok(()));
            if self.offsets.knows(&topic, partition) {
                known.push((topic, partition));
            }
        }
        let write = self.forget_positions(turn, known);
        turn.answer_when(write, id, GroupAnswer::DeleteOffsets(Ok(outcomes)));
    }

    /// These topics are gone, and with them the meaning of positions in them.
    pub fn topics_deleted(&mut self, turn: &mut Turn, names: &[String]) {
        let known = names.iter().flat_map(|name| self.offsets.known_in(name));
        let known = known.map(|(topic, p)| (topic.to_owned(), p)).collect();
        self.forget_positions(turn, known);
    }

    /// The log has forgotten the group, or will not.
    pub fn forgotten(&mut self, id: WriteId, succeeded: bool) {
        // Otherwise somebody has joined it meanwhile: it is a group again, and will be written as such.
        let nobody_came = self.forgetting == Some(id);
        if nobody_came {
            self.forgetting = None;
        }
        if !succeeded {
            return;
        }
        self.stored = false;
        if nobody_came {
            // What was committed meanwhile belongs to a group that only stores offsets.
            self.generation = 0;
            self.protocol_type = None;
            self.subscribed = None;
        }
    }
}
