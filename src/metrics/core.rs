//! The numbers of one core, and how a core finds its own.

use super::{Counter, Histogram, Unit};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// API keys below this are timed each for itself; Kafka's go up to 92.
const API_KEYS: usize = 128;

/// Declares an enum whose variants have a name on the outside and a sentence for whoever reads it there.
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident = $name:literal, $help:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $kind {
            $(#[doc = $help] $variant,)*
        }

        impl $kind {
            /// All of them, in the order of the journey.
            pub const ALL: &[$kind] = &[$($kind::$variant,)*];

            /// Its name for the outside, in lower case.
            pub const fn name(self) -> &'static str {
                match self { $($kind::$variant => $name,)* }
            }

            /// What it is, in a sentence.
            pub const fn help(self) -> &'static str {
                match self { $($kind::$variant => $help,)* }
            }
        }
    };
}

named! {
    /// What takes time on the way of a record.
    Stage {
        ProduceReceive = "produce_receive", "From the first byte of a produce request to its last.";
        ProduceQueue = "produce_queue", "From a whole produce request to its turn on the connection.";
        ProduceValidate = "produce_validate", "Decoding a produce request, checking its batches, staging them or sending them to their owners.";
        MeshHop = "mesh_hop", "From one core's sending of a message to the other's taking it up; a request to another core's partition pays it twice.";
        WriteWait = "write_wait", "From the first batch of a staging buffer to the begin of its write.";
        Write = "write", "One positioned write of a staging buffer.";
        Sync = "fdatasync", "One sync of what a partition has written, names included.";
        ProduceCommit = "produce_commit", "From staged to committed: mesh, write, sync if the flush policy asks for it, and the high watermark.";
        ProduceSend = "produce_send", "From a produce's answer being known to its leaving: behind earlier answers, and into the socket.";
        FetchQueue = "fetch_queue", "From a whole fetch request to its turn on the connection.";
        FetchPlan = "fetch_plan", "Looking up where a fetch's bytes lie, on all owners, mesh included.";
        FetchWait = "fetch_wait", "A fetch's wait for fetch.min.bytes, in Kafka's words the purgatory.";
        ColdRead = "cold_read", "Reading a range that was not in the page cache.";
        FetchSend = "fetch_send", "From a fetch's answer being known to its last byte in the socket.";
    }
}

named! {
    /// How large or how many at once.
    Size {
        BatchBytes = "batch_bytes", "Bytes of an appended record batch.";
        BatchesPerWrite = "batches_per_write", "Batches that share one write: the width of group commit.";
        WriteBytes = "write_bytes", "Bytes of one write.";
        MeshQueue = "mesh_queue", "Messages that wait for room in the channel to another core, when one more comes.";
    }
}

named! {
    /// What is counted.
    Count {
        Requests = "requests", "Requests received.";
        RequestBytes = "request_bytes", "Bytes of request frames received.";
        Answers = "answers", "Requests answered, acks=0 included.";
        AnswerBytes = "answer_bytes", "Bytes of answers sent from memory: heads, and all that is not record data.";
        SendfileBytes = "sendfile_bytes", "Record data sent by sendfile from the page cache.";
        GatheredBytes = "gathered_bytes", "Record data read from the page cache and sent from memory: small ranges, and what nudges a full socket.";
        ColdBytes = "cold_bytes", "Record data read through the ring because it was not in the page cache.";
        Records = "records", "Records appended.";
        Batches = "batches", "Record batches appended.";
        BatchBytes = "record_bytes", "Bytes of record batches appended.";
        FailedAppends = "failed_appends", "Record batches that their partition refused or lost.";
        FailedReads = "failed_reads", "Partitions of fetches that were answered with an error.";
        MeshMessages = "mesh_messages", "Messages received from other cores.";
        ConnectionsOpened = "connections_opened", "Connections taken over from the accepting socket.";
        ConnectionsClosed = "connections_closed", "Connections that have ended.";
    }
}

/// All numbers of one core.
#[derive(Debug)]
pub struct CoreMetrics {
    counts: [Counter; Count::ALL.len()],
    stages: [Histogram; Stage::ALL.len()],
    sizes: [Histogram; Size::ALL.len()],
    requests: [Histogram; API_KEYS],
}

impl Default for CoreMetrics {
    fn default() -> CoreMetrics {
        CoreMetrics::new()
    }
}

impl CoreMetrics {
    /// All zero.
    pub const fn new() -> CoreMetrics {
        CoreMetrics {
            counts: [const { Counter::new() }; Count::ALL.len()],
            stages: [const { Histogram::new(Unit::Nanoseconds) }; Stage::ALL.len()],
            sizes: [const { Histogram::new(Unit::Count) }; Size::ALL.len()],
            requests: [const { Histogram::new(Unit::Nanoseconds) }; API_KEYS],
        }
    }

    /// Counts.
    #[inline]
    pub fn count(&self, what: Count, more: u64) {
        self.counts[what as usize].add(more);
    }

    /// Counts a size.
    #[inline]
    pub fn size(&self, what: Size, size: u64) {
        self.sizes[what as usize].record(size);
    }

    /// Counts the time that a stage took.
    #[inline]
    pub fn time(&self, stage: Stage, took: Duration) {
        self.stages[stage as usize].record_time(took);
    }

    /// Counts the time since a stage began; returns its end, where the next begins.
    #[inline]
    pub fn time_since(&self, stage: Stage, began: Instant) -> Instant {
        let now = Instant::now();
        self.time(stage, now.saturating_duration_since(began));
        now
    }

    /// Counts a request by the number of its API, from its last byte in to its answer's last byte out.
    #[inline]
    pub fn request(&self, api_key: i16, took: Duration) {
        if let Some(histogram) = self.requests.get(api_key as usize) {
            histogram.record_time(took);
        }
    }

    /// Counts a batch that its partition has taken.
    #[inline]
    pub fn appended(&self, records: u32, bytes: usize) {
        self.count(Count::Batches, 1);
        self.count(Count::Records, records.into());
        self.count(Count::BatchBytes, bytes as u64);
        self.size(Size::BatchBytes, bytes as u64);
    }

    /// A count so far.
    pub fn counted(&self, what: Count) -> u64 {
        self.counts[what as usize].get()
    }

    /// A stage's times.
    pub fn stage(&self, stage: Stage) -> &Histogram {
        &self.stages[stage as usize]
    }

    /// Sizes of one kind.
    pub fn sizes(&self, what: Size) -> &Histogram {
        &self.sizes[what as usize]
    }

    /// Times of requests, with the numbers of their APIs.
    pub fn requests(&self) -> impl Iterator<Item = (i16, &Histogram)> {
        (0..).zip(&self.requests)
    }
}

/// Where threads that are no core count: tests, tools, background work. Nobody reads it.
static NOBODY: CoreMetrics = CoreMetrics::new();

thread_local! {
    static HERE: Cell<&'static CoreMetrics> = const { Cell::new(&NOBODY) };
}

/// The numbers of the core that this thread is.
#[inline]
pub fn here() -> &'static CoreMetrics {
    HERE.get()
}

/// Makes this thread the one core that writes to `core`.
pub fn enter(core: &'static CoreMetrics) {
    HERE.set(core);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_writes_its_own_numbers_and_other_threads_read_them() {
        let core: &'static CoreMetrics = Box::leak(Box::default());
        let writer = std::thread::spawn(move || {
            enter(core);
            here().count(Count::Records, 7);
            here().time(Stage::Write, Duration::from_micros(20));
            here().request(0, Duration::from_millis(1));
            here().request(-1, Duration::ZERO);
            here().appended(3, 100);
        });
        writer.join().expect("it counts");
        assert_eq!(core.counted(Count::Records), 10);
        assert_eq!(core.stage(Stage::Write).values().count(), 1);
        assert_eq!(core.sizes(Size::BatchBytes).values().sum, 100);
        let produce = core.requests().find(|(key, _)| *key == 0);
        assert_eq!(produce.map(|(_, times)| times.values().count()), Some(1));
        here().count(Count::Records, 1);
        assert_eq!(core.counted(Count::Records), 10, "this thread is no core");
    }

    #[test]
    fn names_are_unique_and_fit_metric_names() {
        let mut names: Vec<_> = Stage::ALL.iter().map(|stage| stage.name()).collect();
        names.extend(Size::ALL.iter().map(|size| size.name()));
        names.extend(Count::ALL.iter().map(|count| count.name()));
        let fits = |name: &&str| {
            name.bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
        };
        assert!(names.iter().all(fits), "{names:?}");
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
