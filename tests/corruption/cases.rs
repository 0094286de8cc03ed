//! What is damaged inside of partitions, what the check says of it, and what readers get.

use std::ops::Range;

use crate::damage::*;

/// What readers get.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Every record.
    All,
    /// All but these, which come as errors.
    Refused(Range<i64>),
    /// All; these may come as errors, some of them or all.
    MayBeRefused(Range<i64>),
    /// The log ends here, everything before it comes.
    EndsAt(i64),
    /// All but these, which are passed over as Kafka does: nothing tells that they were ever there.
    Skipped(Range<i64>),
    /// Records come with wrong offsets, as from Kafka: no checksum covers the base offset. Only the check tells.
    Untold,
    /// Nothing; the partition is offline, and the broker says why.
    Offline,
}

use Outcome::*;

pub struct Case {
    pub name: &'static str,
    pub damage: fn(&Part),
    /// What the check says of the partition; empty where nothing is wrong.
    pub told: &'static str,
    pub outcome: Outcome,
}

const fn case(name: &'static str, damage: fn(&Part), told: &'static str, outcome: Outcome) -> Case {
    Case {
        name,
        damage,
        told,
        outcome,
    }
}

/// In a segment that no start looks into: its second batch, offsets 5 to 9.
#[rustfmt::skip]
pub const SEALED: &[Case] = &[
    case("base offset", |p| p.flip_in_batch(0, 1, 7, 0x40), "base offset 69 stands where 5 is due", Untold),
    case("length, made huge", |p| p.flip_in_batch(0, 1, 8, 0x10), "cut off", Refused(5..10)),
    case("length, by one", |p| p.flip_in_batch(0, 1, 11, 1), "position", Refused(5..10)),
    case("length, negative", |p| p.flip_in_batch(0, 1, 8, 0x80), "position", Refused(5..10)),
    case("leader epoch", |p| p.flip_in_batch(0, 1, 15, 1), "leader epoch", All),
    case("magic", |p| p.flip_in_batch(0, 1, 16, 1), "magic", Refused(5..10)),
    case("checksum", |p| p.flip_in_batch(0, 1, 17, 1), "crc", Refused(5..10)),
    case("codec", |p| p.flip_in_batch(0, 1, 22, 1), "crc", Refused(5..10)),
    case("last offset delta", |p| p.flip_in_batch(0, 1, 26, 0x40), "offset 5", MayBeRefused(5..15)),
    case("base timestamp", |p| p.flip_in_batch(0, 1, 30, 1), "crc", Refused(5..10)),
    case("largest timestamp", |p| p.flip_in_batch(0, 1, 40, 1), "crc", Refused(5..10)),
    case("producer id", |p| p.flip_in_batch(0, 1, 50, 1), "crc", Refused(5..10)),
    case("producer epoch", |p| p.flip_in_batch(0, 1, 52, 1), "crc", Refused(5..10)),
    case("base sequence", |p| p.flip_in_batch(0, 1, 56, 1), "crc", Refused(5..10)),
    case("record count", |p| p.flip_in_batch(0, 1, 60, 1), "crc", Refused(5..10)),
    case("first byte of the records", |p| p.flip_in_batch(0, 1, 61, 1), "crc", Refused(5..10)),
    case("last byte of the segment", |p| flip_from_end(&p.log(0), 0, 1), "crc", Refused(15..20)),
    case("a segment cut within a batch", |p| truncate(&p.log(0), p.batch(0, 3).0 + 30), "no whole batch follows", Refused(15..20)),
    case("a segment cut between batches", |p| truncate(&p.log(0), p.batch(0, 3).0), "offsets 15 to 19", Skipped(15..20)),
    case("a segment without a byte", |p| truncate(&p.log(0), 0), "offsets 0 to 19", Skipped(0..20)),
    case("a segment that is missing", |p| remove(&p.log(1)), "offsets 20 to 39", Skipped(20..40)),
    case("a segment behind a link", |p| link_instead(&p.log(1)), "", All),
    case("an index that passes over a batch", |p| flip_from_end(&p.file(0, "index"), 4, 0x10), ".index at position", All),
    case("an index that points between batches", |p| flip(&p.file(0, "index"), 7, 1), "no batch starts", All),
    case("an index that points past the end", |p| flip(&p.file(0, "index"), 4, 0x40), ".index at position", All),
    case("an index with negative places", |p| flip(&p.file(0, "index"), 4, 0x80), ".index at position", All),
    case("an index cut within an entry", |p| truncate(&p.file(0, "index"), 13), "no whole entry", All),
    case("an index of noise", |p| write(&p.file(0, "index"), [0x5a; 80]), ".index at position", All),
    case("an index of zeros", |p| write(&p.file(0, "index"), [0; 24]), "", All),
    case("an index without an entry", |p| truncate(&p.file(0, "index"), 0), "", All),
    case("an index that is missing", |p| remove(&p.file(0, "index")), "is missing", All),
    case("a time index with a late time", |p| flip(&p.file(0, "timeindex"), 3, 1), ".timeindex at position", All),
    case("a time index with an early time", |p| flip_from_end(&p.file(0, "timeindex"), 8, 0x7f), ".timeindex at position", All),
    case("a time index with another offset", |p| flip(&p.file(0, "timeindex"), 11, 2), ".timeindex at position", All),
    case("a time index cut within an entry", |p| truncate(&p.file(0, "timeindex"), 17), "no whole entry", All),
    case("a time index without an entry", |p| truncate(&p.file(0, "timeindex"), 0), "largest is", All),
    case("a time index that is missing", |p| remove(&p.file(0, "timeindex")), "is missing", All),
];

/// Small files, names, and the active segment, after a clean stop.
#[rustfmt::skip]
pub const CLEAN: &[Case] = &[
    case("active: head of the last batch", |p| p.flip_in_batch(2, 3, 8, 0x10), "cut off", EndsAt(55)),
    case("active: last offset of the last batch", |p| p.flip_in_batch(2, 3, 26, 0x40), "crc", EndsAt(55)),
    case("active: records of the last batch", |p| flip_from_end(&p.log(2), 0, 1), "crc", Refused(55..60)),
    case("active: torn", |p| truncate(&p.log(2), p.batch(2, 3).0 + 70), "no whole batch follows", EndsAt(55)),
    case("active: a batch less", |p| truncate(&p.log(2), p.batch(2, 3).0), "past the segment's last batch", EndsAt(55)),
    case("active: missing", |p| remove(&p.log(2)), "belongs to no segment", EndsAt(40)),
    case("active: noise behind it", |p| append(&p.log(2), &[0x77; 100]), "no whole batch follows", All),
    case("active: index of noise", |p| write(&p.file(2, "index"), [0x5a; 80]), ".index", All),
    case("active: time index of noise", |p| write(&p.file(2, "timeindex"), [0x5a; 80]), ".timeindex", All),
    case("snapshot", |p| flip_from_end(&p.dir.join("00000000000000000060.snapshot"), 3, 1), "CRC", All),
    case("snapshot without a byte", |p| truncate(&p.dir.join("00000000000000000060.snapshot"), 0), "no snapshot", All),
    case("epochs: a digit", |p| flip(&p.dir.join("leader-epoch-checkpoint"), 0, 1), "checkpoint of leader epochs", All),
    case("epochs: not text", |p| write(&p.dir.join("leader-epoch-checkpoint"), [0xff; 9]), "checkpoint of leader epochs", All),
    case("epochs: missing", |p| remove(&p.dir.join("leader-epoch-checkpoint")), "is missing", All),
    case("topic id: another", |p| flip(&p.dir.join("partition.metadata"), 25, 1), "names topic id", Offline),
    case("topic id: not text", |p| write(&p.dir.join("partition.metadata"), [0xff; 9]), "topic id", All),
    case("topic id: missing", |p| remove(&p.dir.join("partition.metadata")), "is missing", All),
    case("foreign files", |p| { write(&p.dir.join("0.log"), "x"); write(&p.dir.join("00000000000000000001.log.orig"), "x"); }, "none of the log's files", All),
    case("leftovers", |p| { write(&p.dir.join("00000000000000000000.index.1.tmp"), "x"); write(&p.dir.join("00000000000000000007.log.deleted"), "x"); }, "a start removes it", All),
    case("a folder with a segment's name", |p| folder_instead(&p.dir.join("00000000000000000099.log")), "is a folder", All),
    case("a folder in an index's place", |p| folder_instead(&p.file(0, "index")), "is a folder", Offline),
];

/// Behind the recovery point, after a kill: the second batch of the segment of offsets 60 to 79, and the end.
#[rustfmt::skip]
pub const KILLED: &[Case] = &[
    case("base offset", |p| p.flip_in_batch(3, 1, 7, 0x20), "is due", EndsAt(65)),
    case("length, made huge", |p| p.flip_in_batch(3, 1, 8, 0x10), "cut off", EndsAt(65)),
    case("leader epoch", |p| p.flip_in_batch(3, 1, 15, 1), "leader epoch", All),
    case("magic", |p| p.flip_in_batch(3, 1, 16, 1), "magic", EndsAt(65)),
    case("checksum", |p| p.flip_in_batch(3, 1, 17, 1), "crc", EndsAt(65)),
    case("last offset delta", |p| p.flip_in_batch(3, 1, 26, 0x40), "crc", EndsAt(65)),
    case("records", |p| p.flip_in_batch(3, 1, 61, 1), "crc", EndsAt(65)),
    case("records of the last batch", |p| flip_from_end(&p.log(4), 0, 1), "a start cuts it off", EndsAt(95)),
    case("torn", |p| truncate(&p.log(4), p.batch(4, 3).0 + 1), "a start cuts it off", EndsAt(95)),
    case("zeros behind it", |p| append(&p.log(4), &[0; 5000]), "a start cuts it off", All),
    case("noise behind it", |p| append(&p.log(4), &[0x77; 100]), "a start cuts it off", All),
    case("below the recovery point", |p| p.flip_in_batch(1, 1, 61, 1), "crc", Refused(25..30)),
    case("index below the recovery point", |p| write(&p.file(0, "index"), [0x5a; 80]), ".index", All),
    case("index that a start makes again", |p| { truncate(&p.file(3, "index"), 0); truncate(&p.file(3, "timeindex"), 5); }, ".timeindex", All),
    case("snapshot", |p| flip_from_end(&p.dir.join("00000000000000000060.snapshot"), 3, 1), "CRC", All),
    case("epochs: missing", |p| remove(&p.dir.join("leader-epoch-checkpoint")), "is missing", All),
    case("topic id: another, so it may be a deleted topic's", |p| flip(&p.dir.join("partition.metadata"), 25, 1), "names topic id", EndsAt(0)),
    case("topic id: missing", |p| remove(&p.dir.join("partition.metadata")), "is missing", All),
];
