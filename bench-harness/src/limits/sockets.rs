//! Loopback: a sender on the first CPU, a reader on the second.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::files::ScratchFile;
use super::{Amount, Bench, repeat, thread_cpu};
use crate::result::Figure;
use crate::run::{BenchError, pin_thread};

/// In one call.
const SEND_BYTES: usize = 1 << 20;
/// Of the file that is sent: it stays in the page cache.
const FILE_BYTES: usize = 64 << 20;

/// `send` of a megabyte at a time.
///
/// # Errors
/// When loopback cannot be used.
pub fn send(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    let bytes = vec![0x5a_u8; SEND_BYTES];
    measure(bench, "loopback, send 1 MiB", |socket| {
        socket.write_all(&bytes)?;
        Ok(SEND_BYTES as u64)
    })
}

/// `sendfile` of a megabyte of the page cache at a time.
///
/// # Errors
/// When loopback or the directory cannot be used.
pub fn send_file(bench: &Bench) -> Result<Vec<Figure>, BenchError> {
    let mut scratch = ScratchFile::create(bench)?;
    let piece = vec![0x5a_u8; SEND_BYTES];
    for _ in 0..FILE_BYTES / SEND_BYTES {
        scratch.append(&piece)?;
    }
    let mut at = 0;
    measure(bench, "loopback, sendfile 1 MiB", |socket| {
        let sent = rustix::fs::sendfile(socket, &scratch.file, Some(&mut at), SEND_BYTES)?;
        if at >= FILE_BYTES as u64 {
            at = 0;
        }
        Ok(sent as u64)
    })
}

/// Sends for a while to a reader on the other CPU.
fn measure(
    bench: &Bench,
    name: &str,
    mut send: impl FnMut(&mut TcpStream) -> std::io::Result<u64> + Send,
) -> Result<Vec<Figure>, BenchError> {
    let (mut sender, reader) = pair().map_err(BenchError::connection("127.0.0.1"))?;
    let (sent, received) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            pin_thread(&bench.cpus, 1)?;
            read_all(reader).map_err(BenchError::connection("127.0.0.1"))
        });
        let sent = bench.on_first_cpu(|| {
            let sent = repeat(bench.length, || {
                send(&mut sender).map_err(BenchError::connection("127.0.0.1"))
            });
            // The reader ends when nobody can send any more.
            drop(sender);
            sent
        });
        let received = reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok::<_, BenchError>((sent?, received?))
    })?;
    let mut figures = sent.figures(name);
    let gigabytes = received.bytes as f64 / 1e9;
    figures.push(Figure::cost(
        format!("{name}, CPU of the reader"),
        received.cpu_s / gigabytes.max(1e-12),
        "s/GB",
    ));
    Ok(figures)
}

fn pair() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let sender = TcpStream::connect(listener.local_addr()?)?;
    sender.set_nodelay(true)?;
    Ok((sender, listener.accept()?.0))
}

fn read_all(mut reader: TcpStream) -> std::io::Result<Amount> {
    let mut buffer = vec![0; SEND_BYTES];
    let (cpu_before, mut bytes) = (thread_cpu(), 0);
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            read => bytes += read as u64,
        }
    }
    Ok(Amount {
        bytes,
        seconds: 0.0,
        cpu_s: (thread_cpu() - cpu_before).as_secs_f64(),
    })
}
