//! One request's time, from its first byte in to its answer's last byte out, told stage by stage to [`crate::metrics`].
//!
//! One look at the clock at each border, shared where two stages meet. Only Produce and Fetch are taken apart; of the other
//! APIs the whole is kept.

use super::frame_reader::Frame;
use crate::metrics::{Count, Stage, here};
use crate::wire::ApiKey;
use std::time::Instant;

const PRODUCE: i16 = ApiKey::Produce as i16;
const FETCH: i16 = ApiKey::Fetch as i16;

/// The time of one request.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    api_key: i16,
    /// When its last byte was here.
    whole: Instant,
    /// When the stage that it is in began.
    since: Instant,
}

impl Stopwatch {
    /// Starts with a whole frame.
    pub fn start(frame: &Frame) -> Stopwatch {
        let api_key = frame
            .bytes
            .first_chunk()
            .map_or(-1, |key| i16::from_be_bytes(*key));
        let here = here();
        here.count(Count::Requests, 1);
        here.count(Count::RequestBytes, frame.bytes.len() as u64);
        if api_key == PRODUCE {
            let took = frame.whole.saturating_duration_since(frame.begun);
            here.time(Stage::ProduceReceive, took);
        }
        Stopwatch {
            api_key,
            whole: frame.whole,
            since: frame.whole,
        }
    }

    /// It is the request's turn.
    pub fn turn(&mut self) {
        match self.api_key {
            PRODUCE => self.ends(Stage::ProduceQueue),
            FETCH => self.ends(Stage::FetchQueue),
            _ => {}
        }
    }

    /// The handler has given it back: a produce is staged, anything else is answered.
    pub fn handled(&mut self) {
        match self.api_key {
            PRODUCE => self.ends(Stage::ProduceValidate),
            FETCH => self.since = Instant::now(),
            _ => {}
        }
    }

    /// The answer of a request that had to wait for it is known.
    pub fn answered(&mut self) {
        if self.api_key == PRODUCE {
            self.ends(Stage::ProduceCommit);
        }
    }

    /// The answer has left, or none is wanted.
    pub fn sent(self, now: Instant) {
        let here = here();
        here.count(Count::Answers, 1);
        here.request(self.api_key, now.saturating_duration_since(self.whole));
        let stage = match self.api_key {
            PRODUCE => Stage::ProduceSend,
            FETCH => Stage::FetchSend,
            _ => return,
        };
        here.time(stage, now.saturating_duration_since(self.since));
    }

    fn ends(&mut self, stage: Stage) {
        self.since = here().time_since(stage, self.since);
    }
}
