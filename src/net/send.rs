//! Answers to the socket: heads from memory, record data from the page cache.
//!
//! Small pieces are gathered so that many answers leave in one send. Record data that is resident goes by `sendfile`;
//! what is cold is first read through the ring into a bounded buffer, because `sendfile` would put the whole core to sleep.

use super::stopwatch::Stopwatch;
use super::stream::Stream;
use crate::api::Answer;
use crate::io::SegmentFile;
use crate::limits;
use crate::log::ReadPlan;
use crate::metrics::{Count, Stage, here};
use crate::wire::Piece;
use bytes::Bytes;
use futures_lite::future::or;
use glommio::sync::Semaphore;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Instant;

/// Pieces up to this size are copied together; larger ones are sent from where they lie.
const GATHER_BYTES: usize = 16 * 1024;
/// What is gathered is sent when it reaches this size.
const FLUSH_BYTES: usize = 64 * 1024;
/// Record data up to this size is read and gathered: cheaper than a `sendfile` of its own.
const READ_INSTEAD_BYTES: usize = 32 * 1024;
/// One `sendfile` moves at most this much, so that no call holds the core for long.
const SEND_FILE_BYTES: usize = 1024 * 1024;
/// What is sent from memory while a full socket is waited for.
const NUDGE_BYTES: usize = 4 * 1024;
/// A cold range is read in pieces of this size.
const COLD_READ_BYTES: usize = 1024 * 1024;

/// Memory that one core may hold in cold reads, in pieces of 1 MiB.
pub type ColdReads = Rc<Semaphore>;

/// The budget of cold reads for one core.
pub fn cold_reads(pieces: u64) -> ColdReads {
    Rc::new(Semaphore::new(pieces))
}

/// The sending side of one connection.
pub struct Outbox {
    stream: Rc<Stream>,
    cold_reads: ColdReads,
    gathered: Vec<u8>,
    /// Answers of which something is gathered.
    unsent: Vec<Stopwatch>,
    sending: Sending,
}

/// The record data of the answer that is being sent.
#[derive(Clone, Default)]
pub struct Sending(Rc<RefCell<Rc<Vec<ReadPlan>>>>);

impl Sending {
    /// Whether it lies in a file that has been deleted, whose space comes back only when it is sent.
    pub fn holds_deleted(&self) -> bool {
        lie_in_deleted(&self.0.borrow())
    }
}

/// Whether any of these lies in a file that has been deleted.
pub fn lie_in_deleted(plans: &[ReadPlan]) -> bool {
    let is_deleted = |plan: &ReadPlan| plan.file.is_deleted().unwrap_or(false);
    plans.iter().any(is_deleted)
}

impl Outbox {
    /// An outbox with nothing in it.
    pub fn new(stream: Rc<Stream>, cold_reads: ColdReads) -> Outbox {
        Outbox {
            stream,
            cold_reads,
            gathered: Vec::new(),
            unsent: Vec::new(),
            sending: Sending::default(),
        }
    }

    /// What is being sent, for whoever looks after connections that stall.
    pub fn sending(&self) -> Sending {
        self.sending.clone()
    }

    /// Sends an answer, or gathers it to leave with the next [`Outbox::flush`].
    ///
    /// # Errors
    /// The socket's, or `UnexpectedEof` when a file is shorter than the answer has announced; the connection must then be closed.
    pub async fn put(&mut self, answer: Answer, watch: Stopwatch) -> io::Result<()> {
        let plans = Rc::new(answer.plans);
        if !plans.is_empty() {
            self.sending.0.replace(Rc::clone(&plans));
        }
        for piece in answer.pieces {
            match piece {
                Piece::Bytes(bytes) => self.put_bytes(bytes).await?,
                Piece::External { token, .. } => self.put_plan(&plans[token as usize]).await?,
            }
        }
        if !plans.is_empty() {
            self.sending.0.take();
        }
        self.unsent.push(watch);
        if self.gathered.len() >= FLUSH_BYTES {
            self.flush().await?;
        } else if self.gathered.is_empty() {
            self.all_sent();
        }
        Ok(())
    }

    /// Sends what is gathered.
    ///
    /// # Errors
    /// The socket's.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.send_gathered(false).await?;
        self.all_sent();
        if self.gathered.capacity() > 2 * FLUSH_BYTES {
            self.gathered = Vec::new();
        }
        Ok(())
    }

    fn all_sent(&mut self) {
        if !self.unsent.is_empty() {
            let now = Instant::now();
            self.unsent.drain(..).for_each(|watch| watch.sent(now));
        }
    }

    async fn send_gathered(&mut self, more: bool) -> io::Result<()> {
        if !self.gathered.is_empty() {
            self.stream.send_all(&self.gathered, more).await?;
            self.gathered.clear();
        }
        Ok(())
    }

    async fn put_bytes(&mut self, bytes: Bytes) -> io::Result<()> {
        here().count(Count::AnswerBytes, bytes.len() as u64);
        if bytes.len() <= GATHER_BYTES {
            self.gathered.extend_from_slice(&bytes);
            return Ok(());
        }
        self.send_gathered(true).await?;
        self.stream.send_all(&bytes, false).await
    }

    async fn put_plan(&mut self, plan: &ReadPlan) -> io::Result<()> {
        let (mut position, mut left) = (plan.position, plan.len as usize);
        if left <= READ_INSTEAD_BYTES {
            return self.gather_from_file(&plan.file, position, left).await;
        }
        self.send_gathered(true).await?;
        while left > 0 {
            let length = left.min(SEND_FILE_BYTES);
            let sent = if plan.file.is_resident(position, length as u64) {
                self.send_resident(&plan.file, position, length).await?
            } else {
                self.send_cold(&plan.file, position, length.min(COLD_READ_BYTES))
                    .await?
            };
            position += sent as u64;
            left -= sent;
            glommio::executor().yield_if_needed().await;
        }
        Ok(())
    }

    async fn gather_from_file(
        &mut self,
        file: &SegmentFile,
        position: u64,
        length: usize,
    ) -> io::Result<()> {
        let start = self.gathered.len();
        self.gathered.resize(start + length, 0);
        match file.try_read_now(position, &mut self.gathered[start..]) {
            Ok(read) if read == length => {
                here().count(Count::GatheredBytes, read as u64);
                return Ok(());
            }
            _ => self.gathered.truncate(start),
        }
        let _permit = self.cold_permit().await?;
        let read = read_cold(file, position, length).await?;
        self.gathered.extend_from_slice(&read);
        Ok(())
    }

    async fn send_resident(
        &self,
        file: &SegmentFile,
        position: u64,
        length: usize,
    ) -> io::Result<usize> {
        match self.stream.send_file_now(file, position, length) {
            Ok(0) => Err(short_file(file, position)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.nudge(file, position, length.min(NUDGE_BYTES)).await
            }
            Ok(sent) => {
                here().count(Count::SendfileBytes, sent as u64);
                Ok(sent)
            }
            failed => failed,
        }
    }

    /// The socket is full: an ordinary send of the next few bytes is what can wait for room.
    async fn nudge(&self, file: &SegmentFile, position: u64, length: usize) -> io::Result<usize> {
        let mut piece = vec![0; length];
        match file.try_read_now(position, &mut piece) {
            Ok(0) => Err(short_file(file, position)),
            Ok(read) => {
                let sent = self.send_while_wanted(file, &piece[..read]).await?;
                here().count(Count::GatheredBytes, sent as u64);
                Ok(sent)
            }
            Err(_) => self.send_cold(file, position, length).await,
        }
    }

    async fn send_cold(
        &self,
        file: &SegmentFile,
        position: u64,
        length: usize,
    ) -> io::Result<usize> {
        let left = {
            let _permit = self.cold_permit().await?;
            let piece = read_cold(file, position, length).await?;
            match self.stream.send_now(&piece) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    piece[..piece.len().min(NUDGE_BYTES)].to_vec()
                }
                sent => return sent,
            }
        };
        // A client that stalls keeps neither the permit nor the memory that others wait for; the pages are warm now.
        self.send_while_wanted(file, &left).await
    }

    /// Waits for the socket to take some of `bytes`. A client that stalls is waited for as long as it likes, unless the file
    /// has been deleted meanwhile: its space would never come back.
    async fn send_while_wanted(&self, file: &SegmentFile, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let sent = async { Some(self.stream.send_when_ready(bytes).await) };
            let patience = async {
                glommio::timer::sleep(limits::STALLED_READER_CHECK).await;
                None
            };
            // Nothing is lost where the timer is first: bytes leave only in the poll that is ready.
            match or(sent, patience).await {
                Some(sent) => return sent,
                None if file.is_deleted()? => {
                    let path = file.path().display();
                    return Err(io::Error::other(format!(
                        "the client does not read, and {path} is deleted"
                    )));
                }
                None => {}
            }
        }
    }

    async fn cold_permit(&self) -> io::Result<glommio::sync::StaticPermit> {
        self.cold_reads
            .acquire_static_permit(1)
            .await
            .map_err(|_| io::Error::other("the broker is stopping"))
    }
}

async fn read_cold(file: &SegmentFile, position: u64, length: usize) -> io::Result<Bytes> {
    let began = Instant::now();
    let read = file.read_exact_at(position, length).await?;
    here().time_since(Stage::ColdRead, began);
    here().count(Count::ColdBytes, read.len() as u64);
    Ok(read)
}

fn short_file(file: &SegmentFile, position: u64) -> io::Error {
    let path = file.path().display();
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("{path} ends before position {position}"),
    )
}
