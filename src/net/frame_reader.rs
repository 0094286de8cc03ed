//! Bytes of a socket to request frames.
//!
//! A frame is four bytes of length (big-endian, not counting themselves) and that many bytes of request. Small frames are
//! cut out of what arrived; a large one gets a buffer of its own that grows with its bytes, never with its announcement, and
//! is handed on without a copy.

use super::budget::{Budget, Share};
use super::stream::{Scratch, Stream};
use bytes::Bytes;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Instant;
use thiserror::Error;

const LENGTH_BYTES: usize = 4;
/// A frame's own buffer grows by at least this much.
const LEAST_GROWTH_BYTES: usize = 16 * 1024;
/// Once enough has come it grows by at least this much, and later doubles.
const FIRST_GROWTH_BYTES: usize = 256 * 1024;
/// Below this many missing bytes the reader takes them as they come.
const LOW_WATER_MIN_BYTES: usize = 128 * 1024;

/// A whole request as it came, and its hold on the core's memory.
#[derive(Debug)]
pub struct Frame {
    /// Header and body, without the length.
    pub bytes: Bytes,
    /// Released when the request is answered.
    pub share: Share,
    /// When its first byte was here.
    pub begun: Instant,
    /// When its last byte was.
    pub whole: Instant,
}

/// Why no further frame can come from a connection.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The announced length is negative or above `socket.request.max.bytes`.
    #[error(
        "a frame of {announced} bytes was announced, at most {max} are taken (socket.request.max.bytes)"
    )]
    Length {
        /// The number on the wire.
        announced: i32,
        /// The bound in force.
        max: usize,
    },
    /// The peer closed in the middle of a frame.
    #[error("the connection ended inside a frame")]
    Torn,
    /// The socket failed.
    #[error("receiving failed: {0}")]
    Io(#[from] io::Error),
}

/// Reads the frames of one connection.
pub struct FrameReader {
    stream: Rc<Stream>,
    scratch: Scratch,
    budget: Rc<Budget>,
    max_frame_bytes: usize,
    pending: Vec<u8>,
    /// Where the next frame starts in `pending`.
    start: usize,
    /// Set while a frame has begun and not ended: the registry closes such connections when memory is short.
    partial: Rc<Cell<bool>>,
    /// When what is in `pending` last grew.
    received: Instant,
}

impl FrameReader {
    /// A reader at the first byte of a connection.
    pub fn new(
        stream: Rc<Stream>,
        scratch: Scratch,
        budget: Rc<Budget>,
        max_frame_bytes: usize,
        partial: Rc<Cell<bool>>,
    ) -> FrameReader {
        FrameReader {
            stream,
            scratch,
            budget,
            max_frame_bytes,
            pending: Vec::new(),
            start: 0,
            partial,
            received: Instant::now(),
        }
    }

    /// The next frame, or `None` when the peer has closed between frames.
    ///
    /// # Errors
    /// See [`FrameError`]; the connection must then be closed.
    pub async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            match self.announced()? {
                Some(length) if self.available() >= LENGTH_BYTES + length => {
                    return Ok(Some(self.cut_small(length).await));
                }
                Some(length) => return self.read_large(length).await.map(Some),
                None => {
                    if !self.receive_more().await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn available(&self) -> usize {
        self.pending.len() - self.start
    }

    fn announced(&self) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.pending[self.start..].first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let announced = i32::from_be_bytes(*prefix);
        match usize::try_from(announced) {
            Ok(length) if length <= self.max_frame_bytes => Ok(Some(length)),
            _ => Err(FrameError::Length {
                announced,
                max: self.max_frame_bytes,
            }),
        }
    }

    /// Waits at a frame's first bytes. Returns false at a clean end.
    async fn receive_more(&mut self) -> Result<bool, FrameError> {
        self.pending.drain(..self.start);
        self.start = 0;
        if self.pending.is_empty() {
            // An idle connection keeps no buffer.
            self.pending = Vec::new();
        }
        self.partial.set(!self.pending.is_empty());
        let received = self
            .stream
            .receive(&self.scratch, &mut self.pending, usize::MAX)
            .await?;
        self.received = Instant::now();
        match (received, self.pending.is_empty()) {
            (0, true) => Ok(false),
            (0, false) => Err(FrameError::Torn),
            _ => Ok(true),
        }
    }

    async fn cut_small(&mut self, length: usize) -> Frame {
        let mut share = self.budget.share();
        share.grow(length).await;
        let body = self.start + LENGTH_BYTES..self.start + LENGTH_BYTES + length;
        self.start = body.end;
        let bytes = if body.end == self.pending.len() && body.start == LENGTH_BYTES {
            self.start = 0;
            Bytes::from(std::mem::take(&mut self.pending)).slice(body)
        } else {
            Bytes::copy_from_slice(&self.pending[body])
        };
        self.partial.set(false);
        Frame {
            bytes,
            share,
            begun: self.received,
            whole: self.received,
        }
    }

    /// Reads the rest of a frame that has only begun to arrive into a buffer of its own.
    async fn read_large(&mut self, length: usize) -> Result<Frame, FrameError> {
        self.partial.set(true);
        let whole = LENGTH_BYTES + length;
        let mut share = self.budget.share();
        let mut frame = self.pending.split_off(self.start);
        self.pending = Vec::new();
        self.start = 0;
        share.grow(frame.len()).await;
        let mut low_water = false;
        while frame.len() < whole {
            let missing = whole - frame.len();
            share.grow(reserve_for(&mut frame, missing)).await;
            if self.fill(&mut frame, missing, &mut low_water).await? == 0 {
                return Err(FrameError::Torn);
            }
        }
        if low_water {
            self.stream.set_receive_low_water(1);
        }
        self.partial.set(false);
        Ok(Frame {
            bytes: Bytes::from(frame).slice(LENGTH_BYTES..),
            share,
            begun: self.received,
            whole: Instant::now(),
        })
    }

    /// Receives at least one byte of the frame; 0 means that the peer has closed.
    async fn fill(
        &self,
        frame: &mut Vec<u8>,
        missing: usize,
        low_water: &mut bool,
    ) -> Result<usize, FrameError> {
        match self.stream.receive_now(frame, missing) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            received => return Ok(received?),
        }
        if missing >= LOW_WATER_MIN_BYTES || *low_water {
            let wanted = missing.min(FIRST_GROWTH_BYTES);
            self.stream.set_receive_low_water(wanted);
            *low_water = true;
        }
        let room = missing.min(frame.capacity() - frame.len());
        Ok(self.stream.receive(&self.scratch, frame, room).await?)
    }
}

/// Makes room for the next bytes of a frame: in proportion to what has come, within what is missing, so that who sends little
/// is given little. Returns how much the buffer grew.
fn reserve_for(frame: &mut Vec<u8>, missing: usize) -> usize {
    if frame.capacity() > frame.len() {
        return 0;
    }
    let have = frame.len();
    let step = have.max((4 * have).clamp(LEAST_GROWTH_BYTES, FIRST_GROWTH_BYTES));
    let step = step.min(missing);
    frame.reserve_exact(step);
    step
}
