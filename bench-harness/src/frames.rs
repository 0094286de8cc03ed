//! Answers from a socket, frame by frame, into memory that is used again.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;

/// A frame longer than this is none that was asked for.
const FRAME_BYTES_MAX: usize = 1 << 30;
/// How often a reader that waits looks whether the run is over.
pub const LOOK_UP: Duration = Duration::from_millis(100);

/// Reads the answers of one connection.
#[derive(Debug)]
pub struct FrameReader {
    stream: TcpStream,
    /// Initialized memory, as long as the longest frame so far.
    memory: Vec<u8>,
    prefix: [u8; 4],
    prefix_read: usize,
}

impl FrameReader {
    /// Reads from here on; nobody else may read from the socket.
    ///
    /// # Errors
    /// When the socket refuses its options.
    pub fn new(stream: TcpStream) -> io::Result<FrameReader> {
        stream.set_read_timeout(Some(LOOK_UP))?;
        Ok(FrameReader {
            stream,
            memory: Vec::new(),
            prefix: [0; 4],
            prefix_read: 0,
        })
    }

    /// The next frame without its length, or `None` if none began to arrive within [`LOOK_UP`].
    ///
    /// # Errors
    /// When the connection ends, or its bytes are no frame.
    pub fn read(&mut self) -> io::Result<Option<Bytes>> {
        while self.prefix_read < self.prefix.len() {
            match self.stream.read(&mut self.prefix[self.prefix_read..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.prefix_read += length,
                Err(error) if is_pause(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        self.prefix_read = 0;
        let length = i32::from_be_bytes(self.prefix);
        let length = usize::try_from(length)
            .ok()
            .filter(|&length| length <= FRAME_BYTES_MAX);
        let length =
            length.ok_or_else(|| io::Error::other("the answer is no frame of Kafka's protocol"))?;
        if self.memory.len() < length {
            self.memory.resize(length, 0);
        }
        self.read_body(length)?;
        Ok(Some(
            Bytes::from(std::mem::take(&mut self.memory)).slice(..length),
        ))
    }

    /// Takes a frame's memory back, if nobody holds a part of it any more.
    pub fn give_back(&mut self, frame: Bytes) {
        if let Ok(memory) = frame.try_into_mut() {
            self.memory = Vec::from(memory);
        }
    }

    fn read_body(&mut self, length: usize) -> io::Result<()> {
        let mut at = 0;
        while at < length {
            match self.stream.read(&mut self.memory[at..length]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => at += read,
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}
