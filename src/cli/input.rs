//! Standard input in blocks that a thread of its own reads, so that a pause in the input can be noticed: what has
//! arrived is then sent on, in place of waiting for the next line.
//!
//! Bounded: the reader stops while [`BLOCKS_AHEAD`] blocks wait.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Bytes that are read at a time, at most.
const BLOCK_BYTES: usize = 256 * 1024;
/// Blocks that may be read ahead of who uses them.
const BLOCKS_AHEAD: usize = 4;
/// A line longer than this is no record of any broker's.
const LINE_BYTES_MAX: usize = 128 << 20;

/// What there is to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Whole lines, each still with its `\n` (the last of the input may lack it).
    Lines(&'a [u8]),
    /// Nothing came for so long as was asked.
    Pause,
    /// The input has ended.
    End,
}

/// Blocks of whole lines.
#[derive(Debug)]
pub struct LineInput {
    blocks: Receiver<io::Result<Vec<u8>>>,
    /// Bytes received; `taken` of them were given out.
    buffer: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl LineInput {
    /// Starts to read. The thread ends with the input, or when this is dropped and one more block has come.
    pub fn start(mut source: impl Read + Send + 'static) -> LineInput {
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        thread::spawn(move || {
            loop {
                let block = read_block(&mut source);
                let last = !matches!(&block, Ok(bytes) if !bytes.is_empty());
                if sender.send(block).is_err() || last {
                    return;
                }
            }
        });
        LineInput {
            blocks,
            buffer: Vec::new(),
            taken: 0,
            ended: false,
        }
    }

    /// The next whole lines, or that none came within `patience` (`None`: wait for ever).
    ///
    /// # Errors
    /// Those of the source; a line of more than [`LINE_BYTES_MAX`].
    pub fn next(&mut self, patience: Option<Duration>) -> io::Result<Input<'_>> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        while !self.ended {
            let block = match patience {
                Some(patience) => self.blocks.recv_timeout(patience),
                None => self
                    .blocks
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
            };
            let block = match block {
                Ok(block) => block?,
                Err(RecvTimeoutError::Timeout) => return Ok(Input::Pause),
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.ended = block.is_empty();
            let line_end = block.iter().rposition(|&byte| byte == b'\n');
            let before = self.buffer.len();
            self.buffer.extend_from_slice(&block);
            if let Some(at) = line_end {
                self.taken = before + at + 1;
                return Ok(Input::Lines(&self.buffer[..self.taken]));
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(io::Error::other(format!(
                    "a line is longer than {LINE_BYTES_MAX} bytes"
                )));
            }
        }
        self.taken = self.buffer.len();
        Ok(if self.buffer.is_empty() {
            Input::End
        } else {
            Input::Lines(&self.buffer)
        })
    }
}

/// What one read gives; empty at the end.
fn read_block(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match source.read(&mut block) {
            Ok(length) => {
                block.truncate(length);
                return Ok(block);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A source that gives what the test sends, one piece a read.
    struct Pieces(mpsc::Receiver<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.recv().unwrap_or_default();
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn lines_come_whole_however_the_bytes_arrive() {
        let (sender, receiver) = mpsc::channel();
        for piece in [&b"on"[..], b"e\ntwo\nth", b"ree\nlast"] {
            sender.send(piece).unwrap();
        }
        drop(sender);
        let mut input = LineInput::start(Pieces(receiver));
        let mut all = Vec::new();
        loop {
            match input.next(None).unwrap() {
                Input::Lines(lines) => all.push(String::from_utf8(lines.to_vec()).unwrap()),
                Input::End => break,
                Input::Pause => panic!("no pause was asked for"),
            }
        }
        assert_eq!(all, ["one\ntwo\n", "three\n", "last"]);
        assert_eq!(input.next(None).unwrap(), Input::End);
    }

    #[test]
    fn a_pause_in_the_input_is_told_and_nothing_is_lost() {
        let (sender, receiver) = mpsc::channel();
        sender.send(&b"a\nha"[..]).unwrap();
        let mut input = LineInput::start(Pieces(receiver));
        assert_eq!(input.next(None).unwrap(), Input::Lines(b"a\n"));
        assert_eq!(
            input.next(Some(Duration::from_millis(1))).unwrap(),
            Input::Pause
        );
        sender.send(&b"lf\n"[..]).unwrap();
        assert_eq!(input.next(None).unwrap(), Input::Lines(b"half\n"));
    }
}
