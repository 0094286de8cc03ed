//! The real clients under one roof: what each can say and see, and the four things a test asks of them.

use std::collections::BTreeMap;
use std::thread;

use super::driver::{self, Start};
use super::record::{Record, sort_by_place};
use super::rskafka_client;

/// The compression codecs of the record batch format, by the names that clients use.
pub const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// A client library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    Librdkafka,
    Java,
    FranzGo,
    KafkaPython,
    Rskafka,
}

impl Client {
    pub const ALL: [Client; 5] = [
        Client::Librdkafka,
        Client::Java,
        Client::FranzGo,
        Client::KafkaPython,
        Client::Rskafka,
    ];

    /// The clients whose toolchains are here, set up and ready; prints their versions.
    pub fn available() -> Vec<Client> {
        let ready = in_parallel(&Client::ALL, |client| client.version());
        let mut available = Vec::new();
        for (client, version) in Client::ALL.into_iter().zip(ready) {
            if let Some(version) = version {
                eprintln!("client {}: {version}", client.name());
                available.push(client);
            }
        }
        available
    }

    /// A name fit for a topic.
    pub fn name(self) -> &'static str {
        match self {
            Client::Librdkafka => "librdkafka",
            Client::Java => "java",
            Client::FranzGo => "franz-go",
            Client::KafkaPython => "kafka-python",
            Client::Rskafka => "rskafka",
        }
    }

    /// Whether this client's interface can express `record` at all.
    pub fn can_write(self, record: &Record) -> bool {
        let null_header = record.headers.iter().any(|(_, content)| content.is_none());
        match self {
            Client::Librdkafka | Client::Java | Client::FranzGo => true,
            // Refuses a record without key and value, and takes no null in a header.
            Client::KafkaPython => !null_header && (record.key.is_some() || record.value.is_some()),
            // Keeps headers in a sorted map.
            Client::Rskafka => !null_header && record.headers.is_sorted_by(|a, b| a.0 < b.0),
        }
    }

    /// Whether this client can read `record` at all.
    pub fn can_read(self, record: &Record) -> bool {
        // Takes a null header value for a malformed record.
        self != Client::Rskafka || record.headers.iter().all(|(_, content)| content.is_some())
    }

    /// What this client shows of `record`.
    pub fn view(self, mut record: Record) -> Record {
        if self == Client::Rskafka {
            let last_of_each: BTreeMap<_, _> = record.headers.into_iter().collect();
            record.headers = last_of_each.into_iter().collect();
        }
        record
    }

    /// Creates topics, each with `partitions` partitions, through the client's own admin interface.
    pub fn create_topics(self, bootstrap: &str, topics: &[&str], partitions: i32) {
        match self.driver() {
            Some(start) => driver::create_topics(start, bootstrap, topics, partitions),
            None => rskafka_client::create_topics(bootstrap, topics, partitions),
        }
    }

    /// Those among the available clients whose drivers know settings.
    pub fn available_admins() -> Vec<Client> {
        let knows_settings = |client: &Client| matches!(client, Client::Librdkafka | Client::Java);
        Client::available()
            .into_iter()
            .filter(knows_settings)
            .collect()
    }

    /// See [`driver::settings`].
    pub fn settings(self, bootstrap: &str, topic: &str) -> Vec<[String; 3]> {
        let start = self.driver().expect("an admin has a driver");
        driver::settings(start, bootstrap, topic)
    }

    /// Writes `records` with acks=all and gives them back with the places that the broker answered. A client that knows
    /// no idempotence writes without.
    pub fn produce(
        self,
        bootstrap: &str,
        codec: &str,
        idempotent: bool,
        records: &[Record],
    ) -> Vec<Record> {
        match self.driver() {
            Some(start) => driver::produce(start, bootstrap, codec, idempotent, records),
            None => rskafka_client::produce(bootstrap, codec, records),
        }
    }

    /// Reads everything in `topics`; sorted by topic, partition and offset.
    pub fn consume(self, bootstrap: &str, topics: &[&str]) -> Vec<Record> {
        let mut records = match self.driver() {
            Some(start) => driver::consume(start, bootstrap, topics),
            None => rskafka_client::consume(bootstrap, topics),
        };
        sort_by_place(&mut records);
        records
    }

    fn version(self) -> Option<String> {
        match self.driver() {
            Some(start) => start().map(|_| driver::version(start)),
            None => Some("rskafka, in this process".to_owned()),
        }
    }

    /// How to start the client's driver; `None` for the one inside this process.
    fn driver(self) -> Option<Start> {
        match self {
            Client::Librdkafka => Some(driver::librdkafka),
            Client::Java => Some(driver::java),
            Client::FranzGo => Some(driver::franz_go),
            Client::KafkaPython => Some(driver::kafka_python),
            Client::Rskafka => None,
        }
    }
}

/// Does `work` for every item at once, each on a thread of its own; the results keep the order of the items.
///
/// # Panics
/// If any of them does, after all have ended.
pub fn in_parallel<I: Copy + Send, T: Send>(items: &[I], work: impl Fn(I) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = items
            .iter()
            .map(|&item| scope.spawn(move || work(item)))
            .collect();
        let ended: Vec<_> = running.into_iter().map(|thread| thread.join()).collect();
        ended
            .into_iter()
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
