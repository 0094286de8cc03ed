//! How long a thread that sleeps takes to run again: on its waker's CPU, and on another one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::Bench;
use crate::metrics::duration_histogram;
use crate::result::Figure;
use crate::run::{BenchError, pin_thread};

/// Two threads that pass a byte to and fro, and sleep in between: half of a round trip.
///
/// # Errors
/// When a CPU cannot be used.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    let [first, second] = bench.cpus;
    let mut figures = Vec::new();
    for (name, cpus) in [
        ("wake a thread on the same CPU", [first, first]),
        ("wake a thread on another CPU", [first, second]),
    ] {
        if name.contains("another") && first == second {
            continue;
        }
        let took_ns = ping_pong(bench, cpus)?;
        for (point, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            let us = took_ns.value_at_quantile(quantile) as f64 / 1e3;
            figures.push(Figure::cost(format!("{name}: {point}"), us, "us"));
        }
    }
    Ok(figures)
}

fn ping_pong(bench: &Bench, cpus: [usize; 2]) -> Result<Histogram<u64>, BenchError> {
    let pair = UnixStream::pair().map_err(BenchError::connection("a pair of sockets"))?;
    let (ping, pong) = pair;
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            pin_thread(&cpus, 1)?;
            answer_all(pong).map_err(BenchError::connection("a pair of sockets"))
        });
        let asker = scope.spawn(move || {
            pin_thread(&cpus, 0)?;
            ask_for(bench, ping).map_err(BenchError::connection("a pair of sockets"))
        });
        let took = asker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        other
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        took
    })
}

fn ask_for(bench: &Bench, mut ping: UnixStream) -> std::io::Result<Histogram<u64>> {
    let mut took_ns = duration_histogram();
    let mut byte = [0];
    let began = Instant::now();
    while began.elapsed() < bench.length || took_ns.is_empty() {
        let asked = Instant::now();
        ping.write_all(&byte)?;
        ping.read_exact(&mut byte)?;
        took_ns.saturating_record((asked.elapsed().as_nanos() as u64 / 2).max(1));
    }
    Ok(took_ns)
}

/// Until the asker closes.
fn answer_all(mut pong: UnixStream) -> std::io::Result<()> {
    let mut byte = [0];
    while pong.read(&mut byte)? > 0 {
        pong.write_all(&byte)?;
    }
    Ok(())
}
