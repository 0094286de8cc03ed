//! Well-behaved clients on every core while something hostile goes on: they write numbered records all the time, count what is
//! acknowledged, and in the end find every one of them where it was said to be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::wire_client::WireClient;

const TOPIC: &str = "bystanders";
/// Two for each of the broker's two cores: connections are shared out evenly.
const CLIENTS: usize = 4;
/// They leave the machine to the test most of the time.
const PAUSE: Duration = Duration::from_millis(5);
/// Far above what an undisturbed request takes, and below any of the broker's own time-outs.
const PATIENCE: Duration = Duration::from_secs(5);

/// The clients, each with a partition of its own.
pub struct Bystanders {
    port: u16,
    stop: Arc<AtomicBool>,
    acknowledged: Vec<Arc<AtomicUsize>>,
    clients: Vec<JoinHandle<Duration>>,
}

impl Bystanders {
    /// Creates their topic, connects them, and lets each write its first records.
    pub fn start(port: u16) -> Bystanders {
        WireClient::connect(port).create_topic(TOPIC, CLIENTS as i32);
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged: Vec<Arc<AtomicUsize>> = (0..CLIENTS).map(|_| Arc::default()).collect();
        let clients = acknowledged
            .iter()
            .enumerate()
            .map(|(partition, count)| {
                let (stop, count) = (Arc::clone(&stop), Arc::clone(count));
                let client = WireClient::connect(port);
                thread::spawn(move || write_numbers(client, partition as i32, &stop, &count))
            })
            .collect();
        let all = Bystanders {
            port,
            stop,
            acknowledged,
            clients,
        };
        all.wait_for_more();
        all
    }

    /// Waits until each has written some more records: they are served now.
    pub fn wait_for_more(&self) {
        let before: Vec<usize> = self.counts().collect();
        let started = Instant::now();
        while !self
            .counts()
            .zip(&before)
            .all(|(now, before)| now >= before + 5)
        {
            assert!(
                started.elapsed() < 2 * PATIENCE,
                "bystanders are not served: {:?} records, before {before:?}",
                self.counts().collect::<Vec<_>>()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops them and reads everything back over a new connection.
    ///
    /// # Panics
    /// If one waited too long for an answer, or a record is missing or elsewhere.
    pub fn finish(self) {
        self.wait_for_more();
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            let slowest = client.join().expect("a bystander was refused");
            assert!(
                slowest < PATIENCE,
                "a bystander waited {slowest:?} for an answer"
            );
        }
        let mut reader = WireClient::connect(self.port);
        for (partition, count) in self.acknowledged.iter().enumerate() {
            let read = reader.read_all(TOPIC, partition as i32);
            let expected: Vec<_> = (0..count.load(Ordering::SeqCst))
                .map(|number| (number as i64, number.to_string()))
                .collect();
            assert!(
                read == expected,
                "partition {partition}: {} records read, {} acknowledged",
                read.len(),
                expected.len()
            );
        }
    }

    fn counts(&self) -> impl Iterator<Item = usize> {
        self.acknowledged
            .iter()
            .map(|count| count.load(Ordering::SeqCst))
    }
}

/// Returns the longest wait for an answer.
fn write_numbers(
    mut client: WireClient,
    partition: i32,
    stop: &AtomicBool,
    acknowledged: &AtomicUsize,
) -> Duration {
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::SeqCst) {
        let number = acknowledged.load(Ordering::SeqCst);
        let began = Instant::now();
        let offset = client.write(TOPIC, partition, &[&number.to_string()]);
        slowest = slowest.max(began.elapsed());
        assert_eq!(offset, number as i64);
        acknowledged.store(number + 1, Ordering::SeqCst);
        thread::sleep(PAUSE);
    }
    slowest
}
