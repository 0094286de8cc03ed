//! What a test did to a log, what it was promised, and whether a disk that is found after a power cut keeps it.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use crate::io::power_loss::{self, Dice, History, Outcome, Recording, record, scratch};
use crate::log::tests::transactions::{assert_agrees_with_its_batches, marker, of_key};
use crate::log::tests::*;
use crate::wire::records::{Scratch, batches};

/// Disks looked at for each story, unless `VLTAVA_TEST_IMAGES` says otherwise.
const IMAGES: usize = 2000;

/// Of so many disks one sees a second power cut. No factor in common with the turns of [`History::draw`]: every kind of outcome is
/// cut again, torn ends among them.
const CUT_AGAIN_EVERY: usize = 11;

/// Key and value of a record; without a value it is a tombstone.
pub(super) type Record = (String, Option<String>);

/// A log at work, and what is said of it meanwhile.
pub(super) struct Story {
    recording: Arc<Recording>,
    pub(super) random: Dice,
    pub(super) dir: PathBuf,
    /// All that was ever appended, by offset.
    written: BTreeMap<i64, Record>,
    /// From a moment on everything before the offset must survive.
    promised: Vec<(usize, i64)>,
    /// Recovery points that a checkpoint may hold from a moment on.
    points: Vec<(usize, Offset)>,
    /// From a moment on records before the offset may be gone.
    let_go: Vec<(usize, i64)>,
    /// From a moment on records before the offset must be gone.
    gone: Vec<(usize, i64)>,
    compacted: bool,
    /// Of producers of transactions.
    sequences: BTreeMap<i64, i32>,
}

impl Story {
    fn begin(root: &Path, seed: u64) -> Story {
        Story {
            recording: record(root),
            random: Dice::new(seed),
            dir: root.join("topic-0"),
            written: BTreeMap::new(),
            promised: Vec::new(),
            points: Vec::new(),
            let_go: Vec::new(),
            gone: Vec::new(),
            compacted: false,
            sequences: BTreeMap::new(),
        }
    }

    pub(super) async fn create(&mut self, config: LogConfig) -> Rc<PartitionLog> {
        create(&self.dir, config).await
    }

    /// A batch of records of some keys; returns where it ends.
    pub(super) fn append(&mut self, log: &Rc<PartitionLog>, records: usize) -> Offset {
        let mut builder = BatchBuilder::new(Codec::None);
        let base = log.log_end_offset().0;
        for n in 0..records {
            let offset = base + n as i64;
            let key = format!("k{}", self.random.below(12));
            let pad = "x".repeat(self.random.below(400) as usize);
            let value = (self.random.below(6) > 0).then(|| format!("{offset}:{pad}"));
            builder.append(
                NOW.0,
                Some(key.as_bytes()),
                value.as_deref().map(str::as_bytes),
                &[],
            );
            self.written.insert(offset, (key, value));
        }
        let appended = append(log, &builder.build_validated());
        assert_eq!(appended.base_offset.0, base);
        appended.last_offset + 1
    }

    /// A batch of one record of a producer's transaction; returns where it ends.
    pub(super) fn append_in_transaction(
        &mut self,
        log: &Rc<PartitionLog>,
        producer: i64,
    ) -> Offset {
        let sequence = self.sequences.entry(producer).or_default();
        let pad = "x".repeat(self.random.below(400) as usize);
        let value = format!("{sequence}:{pad}");
        let batch = of_key(producer, 0, *sequence, "t", &value);
        *sequence += 1;
        let appended = append(log, &batch);
        let record = ("t".to_owned(), Some(value));
        self.written.insert(appended.base_offset.0, record);
        appended.last_offset + 1
    }

    /// A producer's transaction ends one way or the other, if there is one; returns where its marker ends.
    pub(super) fn end_transaction(&mut self, log: &Rc<PartitionLog>, producer: i64) -> Offset {
        let committed = self.random.below(3) == 0;
        let appended = log
            .append_marker(&marker(producer, 0, committed), EPOCH, NOW)
            .expect("a marker");
        let kind = if committed { '\u{1}' } else { '\0' };
        let record = (format!("\0\0\0{kind}"), Some("\0".repeat(6)));
        self.written.insert(appended.base_offset.0, record);
        appended.last_offset + 1
    }

    /// Everything before `end` was acknowledged as synced.
    pub(super) fn promise(&mut self, end: Offset) {
        let before = self.promised.last().map_or(0, |(_, end)| *end);
        self.promised
            .push((self.recording.now(), end.0.max(before)));
    }

    /// A checkpoint may be written now; what lies before its recovery point is on the device.
    pub(super) fn note_point(&mut self, log: &PartitionLog) {
        let point = log.recovery_point();
        if self.points.last().is_none_or(|(_, last)| *last < point) {
            self.points.push((self.recording.now(), point));
            self.promise(point);
        }
    }

    pub(super) fn now(&self) -> usize {
        self.recording.now()
    }

    /// Records before `start` may be gone from a moment on.
    pub(super) fn let_go(&mut self, since: usize, start: Offset) {
        self.let_go.push((since, start.0));
    }

    /// Somebody was told that records before `start` are gone.
    pub(super) fn promise_gone(&mut self, start: Offset) {
        self.gone.push((self.recording.now(), start.0));
    }

    /// Older records of a key may be gone from now on.
    pub(super) fn compacted(&mut self) {
        self.compacted = true;
    }
}

fn latest<T: Copy>(notes: &[(usize, T)], moment: usize) -> Option<T> {
    let until = notes.partition_point(|(noted, _)| *noted <= moment);
    until.checked_sub(1).map(|last| notes[last].1)
}

/// Lets `tell` happen, then cuts the power at many moments in many ways, and opens what is found.
pub(super) fn survives<F: Future<Output = Story>>(name: &str, tell: impl Fn(Story) -> F) {
    let seed = power_loss::seed();
    let images = power_loss::images(IMAGES);
    eprintln!("power loss during {name}: seed {seed}");
    let live = tempfile::tempdir().unwrap();
    on_executor(async move {
        let story = tell(Story::begin(live.path(), seed)).await;
        let history = story.recording.stop();
        let mut dice = Dice::new(seed);
        let mut seen = HashSet::new();
        for n in 0..images {
            let (moment, outcome) = history.draw(n, &mut dice);
            let found = Found {
                what: format!("{name}, seed {seed}: power cut at {moment}, {outcome:?}"),
                story: &story,
                moment,
                added: None,
            };
            let is_new = found
                .look_at(&history, outcome, &mut seen, n % 4 == 3)
                .await;
            if is_new && n % CUT_AGAIN_EVERY == 0 {
                found.cut_again(&history, outcome, &mut dice).await;
            }
        }
        eprintln!("{} different disks of {images}", seen.len());
        assert!(seen.len() > images / 8, "only {} disks", seen.len());
    });
}

/// A disk found after a power cut.
struct Found<'a> {
    what: String,
    story: &'a Story,
    moment: usize,
    /// The offset of a record that was added after the first power cut.
    added: Option<i64>,
}

fn config() -> LogConfig {
    LogConfig {
        index_interval_bytes: 200,
        flush_messages: 1,
        ..LogConfig::default()
    }
}

impl Found<'_> {
    /// Whether it was another disk than those seen before.
    async fn look_at(
        &self,
        history: &History,
        outcome: Outcome,
        seen: &mut HashSet<u64>,
        go_on: bool,
    ) -> bool {
        let image = history.image(self.moment, outcome);
        if !seen.insert(image.fingerprint() ^ self.moment as u64) {
            return false;
        }
        let root = scratch();
        image.write(root.path()).unwrap();
        let dir = root.path().join("topic-0");
        match self.check(&dir).await {
            Some(log) if go_on => self.go_on(log, &dir).await,
            _ => {}
        }
        true
    }

    /// The power goes once more while the log is being opened, and the disk then found is as good.
    async fn cut_again(&self, history: &History, outcome: Outcome, dice: &mut Dice) {
        let root = scratch();
        let recording = record(root.path());
        let first = history.image(self.moment, outcome);
        first.write(root.path()).unwrap();
        let began = recording.now();
        let Some(log) = self.check(&root.path().join("topic-0")).await else {
            recording.stop();
            return;
        };
        let end = append_committed(&log, &batch(1)).await.last_offset + 1;
        let acknowledged = recording.now();
        let second = recording.stop();
        for n in 0..4 {
            let since = second.len() - began;
            // Half of them once the record is acknowledged: what it stands on must be there then.
            let moment = match n % 2 {
                0 => began + dice.below(since as u64 + 1) as usize,
                _ => second.len(),
            };
            let outcome = Outcome::Drawn(dice.below(u64::MAX));
            let root = scratch();
            second.image(moment, outcome).write(root.path()).unwrap();
            let again = Found {
                what: format!("{}; and again at {moment}, {outcome:?}", self.what),
                added: Some(end.0 - 1),
                ..*self
            };
            let log = again.check(&root.path().join("topic-0")).await;
            let found = log.map_or(Offset::ZERO, |log| log.log_end_offset());
            assert!(
                moment < acknowledged || found >= end,
                "{}: {found}",
                again.what
            );
        }
    }

    /// The log that was found; none if nothing of it need be there.
    async fn check(&self, dir: &Path) -> Option<Rc<PartitionLog>> {
        let promised = latest(&self.story.promised, self.moment).unwrap_or(0);
        if !dir.exists() {
            assert_eq!(promised, 0, "{}: the directory is gone", self.what);
            return None;
        }
        let recovery_point = latest(&self.story.points, self.moment).unwrap_or_default();
        let trust = Trust::Recover { recovery_point };
        let start = Offset(i64::MAX);
        let opened = PartitionLog::open_from(dir.to_owned(), config(), trust, start).await;
        let (log, _) = opened.unwrap_or_else(|error| panic!("{}: {error}", self.what));
        self.check_records(&log, promised).await;
        if log.log_start_offset() == Offset::ZERO {
            assert_agrees_with_its_batches(&log, &self.what).await;
        }
        Some(log)
    }

    async fn check_records(&self, log: &Rc<PartitionLog>, promised: i64) {
        let what = &self.what;
        let (start, end) = (log.log_start_offset().0, log.log_end_offset().0);
        assert!(
            end >= promised,
            "{what}: {promised} was synced, {end} found"
        );
        let gone = latest(&self.story.gone, self.moment).unwrap_or(0);
        assert!(
            start >= gone,
            "{what}: {gone} were gone, it begins at {start}"
        );
        let mut found = records_of(log, what).await;
        if let Some(added) = self.added {
            found.remove(&added);
        }
        for (offset, record) in &found {
            assert_eq!(
                self.story.written.get(offset),
                Some(record),
                "{what}: at {offset}"
            );
        }
        let let_go = latest(&self.story.let_go, self.moment).unwrap_or(0);
        // Past what was synced a segment's end may be lost and the next segment be there.
        let expected = self
            .story
            .written
            .range(let_go.max(start)..promised.max(start));
        for (offset, (key, value)) in expected {
            let newer = |(_, record): (&i64, &Record)| record.0 == *key;
            let may_be_gone = self.story.compacted
                && (value.is_none() || self.story.written.range(offset + 1..end).any(newer));
            assert!(
                may_be_gone || found.contains_key(offset),
                "{what}: {offset} of {start}..{end} is missing"
            );
        }
    }

    /// The log goes on where it ended, and closes well.
    async fn go_on(&self, log: Rc<PartitionLog>, dir: &Path) {
        let before = records_of(&log, &self.what).await;
        let end = append_committed(&log, &batch(1)).await.last_offset + 1;
        log.close().await.unwrap();
        let (log, report) = PartitionLog::open_from(
            dir.to_owned(),
            config(),
            Trust::CleanShutdown,
            Offset(i64::MAX),
        )
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", self.what));
        assert_eq!(report.log_end_offset, end, "{}", self.what);
        assert_eq!(report.cut, None, "{}", self.what);
        let mut after = records_of(&log, &self.what).await;
        after.remove(&(end.0 - 1));
        assert_eq!(after, before, "{}", self.what);
        log.close().await.unwrap();
    }
}

/// All records of a log as a consumer reads it; offsets must only grow.
async fn records_of(log: &Rc<PartitionLog>, what: &str) -> BTreeMap<i64, Record> {
    let mut found = BTreeMap::new();
    let mut next = log.log_start_offset().0;
    while let Some(bytes) = read(log, next, 1 << 20).await {
        for batch in batches(bytes) {
            let batch = batch.unwrap_or_else(|error| panic!("{what}: {error}"));
            let records = batch.records(1 << 20, &mut Scratch::default()).unwrap();
            for record in &records {
                let record = record.unwrap();
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                if record.offset.0 >= next {
                    let key = record.key.map(text).unwrap_or_default();
                    found.insert(record.offset.0, (key, record.value.map(text)));
                }
            }
            assert!(batch.header().next_offset().0 > next, "{what}");
            next = batch.header().next_offset().0;
        }
    }
    assert!(next <= log.high_watermark().0, "{what}");
    found
}
